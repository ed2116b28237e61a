// SPDX-License-Identifier: GPL-2.0-only
/* Mechanisms that place memory: NUMA balancing and DAMON. */
#include "case/gmem_result.h"
#include "mm/gmem_anon.h"
#include "mm/gmem_balancing.h"
#include "mm/gmem_numa.h"
#include "trigger/gmem_damon.h"
#include "trigger/gmem_mechanism.h"
#include "trigger/gmem_migration.h"
#include "trigger/gmem_trigger.h"
#include "vm/gmem_region.h"

/* From the second node, what is on the first. */
static void touch_all(void *arg)
{
	struct gmem_migration *migration = arg;

	for (size_t page = 0; page < migration->region->npages; page++)
		(void)READ_ONCE(*(char *)gmem_region_host(migration->region, page));
	for (size_t page = 0; page < migration->control->npages; page++)
		(void)READ_ONCE(migration->control->mem[page * migration->control->page_size]);
}

static void balancing_allocate(struct gmem_migration *migration)
{
	/* The vCPU's thread to be inherits this, and leaves the other node to the reader. */
	gmem_numa_run_on(gmem_numa_node(0));
	gmem_balancing_hurry();
	gmem_migration_allocate(migration);
}

/* In the first scan, or by the fault after it, a page is only known to be remote. */
#define SCANS 3

/* There, which is where guest_memfd is not, and back, if once is not enough. */
static void balancing_fire(struct gmem_migration *migration)
{
	gmem_balancing_run(migration->node, SCANS, touch_all, gmem_mechanism_moved_half, migration);
	migration->node = gmem_numa_other(migration->node);
}

const struct gmem_trigger gmem_trigger_numa_balancing = {
	.name = "numa_balancing",
	.missing = gmem_balancing_missing,
	.allocate = balancing_allocate,
	.fire = balancing_fire,
	.acted_upon = gmem_mechanism_acted_upon,
	.cleanup = gmem_mechanism_cleanup,
};

static void balancing_policy_allocate(struct gmem_migration *migration)
{
	size_t spare = migration->region->page_size;

	balancing_allocate(migration);
	/* With the spare page, lest that become a mapping, to be scanned, of its own. */
	gmem_numa_balance(gmem_region_host(migration->region, 0),
			  gmem_region_size(migration->region) + spare);
	gmem_numa_balance(migration->control->mem, gmem_anon_size(migration->control));
}

const struct gmem_trigger gmem_trigger_numa_balancing_policy = {
	.name = "numa_balancing_policy",
	.missing = gmem_balancing_missing,
	.allocate = balancing_policy_allocate,
	.fire = balancing_fire,
	.acted_upon = gmem_mechanism_acted_upon,
	.cleanup = gmem_mechanism_cleanup,
};

static enum gmem_skip_reason damon_migrate_missing(void)
{
	return gmem_numa_node(1) < 0 ? GMEM_SKIP_no_numa : gmem_damon_missing();
}

static void damon_migrate_hot_fire(struct gmem_migration *migration)
{
	gmem_damon_fire(migration, "migrate_hot");
}

const struct gmem_trigger gmem_trigger_damon_migrate_hot = {
	.name = "damon_migrate_hot",
	.missing = damon_migrate_missing,
	.fire = damon_migrate_hot_fire,
};

static void damon_migrate_cold_fire(struct gmem_migration *migration)
{
	gmem_damon_fire(migration, "migrate_cold");
}

const struct gmem_trigger gmem_trigger_damon_migrate_cold = {
	.name = "damon_migrate_cold",
	.missing = damon_migrate_missing,
	.fire = damon_migrate_cold_fire,
};
