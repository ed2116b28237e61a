// SPDX-License-Identifier: GPL-2.0-only
/* Mechanisms that place memory: NUMA balancing and DAMON. */
#include <linux/compiler.h>

#include "case/gmem_result.h"
#include "mm/gmem_anon.h"
#include "mm/gmem_balancing.h"
#include "mm/gmem_numa.h"
#include "trigger/gmem_damon.h"
#include "trigger/gmem_mechanism.h"
#include "trigger/gmem_migration.h"
#include "trigger/gmem_trigger.h"
#include "vm/gmem_region.h"

/* Reads every page of region and control, from a CPU of the node that they may be pulled to. */
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
	/*
	 * The vCPU's thread is created later and inherits this, so that touch_all() alone
	 * runs on the other node.
	 */
	gmem_numa_run_on(gmem_numa_node(0));
	gmem_balancing_hurry();
	gmem_migration_allocate(migration);
}

/* The first scan and the faults after it only show the kernel that a page is remote. */
#define SCANS 3

/* Pulls pages to the other node; the next firing pulls them back. */
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
	size_t sentinel = migration->region->page_size;

	balancing_allocate(migration);
	/* The sentinel is included, because it would be a VMA that is scanned otherwise. */
	gmem_numa_balance(gmem_region_host(migration->region, 0),
			  gmem_region_size(migration->region) + sentinel);
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
