// SPDX-License-Identifier: GPL-2.0-only
/* Triggers that send pages of this process to another node, by address. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "case/gmem_child.h"
#include "case/gmem_result.h"
#include "mm/gmem_anon.h"
#include "mm/gmem_cgroup.h"
#include "mm/gmem_numa.h"
#include "trigger/gmem_migration.h"
#include "trigger/gmem_trigger.h"
#include "vm/gmem_region.h"

static void move_pages(struct gmem_migration *migration, bool all)
{
	struct gmem_region *region = migration->region;
	struct gmem_anon *control = migration->control;

	gmem_numa_move(gmem_region_host(region, 0), region->npages, region->page_size,
		       migration->node, all);
	gmem_numa_move(control->mem, control->npages, control->page_size, migration->node, all);
	migration->node = gmem_numa_other(migration->node);
}

static void move_pages_fire(struct gmem_migration *migration)
{
	move_pages(migration, false);
}

static void move_pages_all_fire(struct gmem_migration *migration)
{
	move_pages(migration, true);
}

const struct gmem_trigger gmem_trigger_move_pages = {
	.name = "move_pages",
	.by_address = true,
	.rounds = 10,
	.missing = gmem_numa_missing,
	.fire = move_pages_fire,
};

const struct gmem_trigger gmem_trigger_move_pages_all = {
	.name = "move_pages_all",
	.by_address = true,
	.rounds = 10,
	.missing = gmem_numa_missing,
	.fire = move_pages_all_fire,
};

static void move_pages_of_parent(void *arg)
{
	struct gmem_migration *migration = arg;
	struct gmem_region *region = migration->region;
	struct gmem_anon *control = migration->control;
	int *status = calloc(region->npages, sizeof(*status));

	if (!status)
		_exit(1);
	__gmem_numa_move(getppid(), region->host, region->npages, region->page_size,
			 migration->node, true, status);
	__gmem_numa_move(getppid(), control->mem, control->npages, control->page_size,
			 migration->node, true, status);
}

/* Another process calls move_pages() on this one, which waits until that process has ended. */
static void move_pages_by_other_fire(struct gmem_migration *migration)
{
	pid_t other = gmem_child_start(move_pages_of_parent, migration);
	int status = gmem_child_wait(other, GMEM_LIVENESS, "another process moves pages");

	if (status)
		gmem_broken("the process that moves pages ended with status %#x", status);
	migration->node = gmem_numa_other(migration->node);
}

const struct gmem_trigger gmem_trigger_move_pages_by_other = {
	.name = "move_pages_by_other",
	.by_address = true,
	.rounds = 10,
	.missing = gmem_numa_missing,
	.fire = move_pages_by_other_fire,
};

static void mbind_fire(struct gmem_migration *migration)
{
	struct gmem_region *region = migration->region;
	struct gmem_anon *control = migration->control;

	gmem_numa_mbind(gmem_region_host(region, 0), gmem_region_size(region), migration->node);
	gmem_numa_mbind(control->mem, gmem_anon_size(control), migration->node);
	migration->node = gmem_numa_other(migration->node);
}

const struct gmem_trigger gmem_trigger_mbind = {
	.name = "mbind",
	.by_address = true,
	.rounds = 10,
	.missing = gmem_numa_missing,
	.fire = mbind_fire,
};

static void migrate_pages_fire(struct gmem_migration *migration)
{
	gmem_numa_migrate(gmem_numa_other(migration->node), migration->node);
	migration->node = gmem_numa_other(migration->node);
}

const struct gmem_trigger gmem_trigger_migrate_pages = {
	.name = "migrate_pages",
	.by_address = true,
	.rounds = 2,
	.missing = gmem_numa_missing,
	.fire = migrate_pages_fire,
};

static enum gmem_skip_reason cpuset_missing(void)
{
	enum gmem_skip_reason why = gmem_numa_missing();

	if (!why && !gmem_cgroup_offers("cpuset"))
		why = GMEM_SKIP_no_cpuset;
	return why;
}

static void cpuset_allocate(struct gmem_migration *migration)
{
	gmem_cgroup_enter("cpuset");
	gmem_migration_allocate(migration);
}

/* The write returns once the kernel has moved the memory, or has refused to. */
static void cpuset_fire(struct gmem_migration *migration)
{
	int err = __gmem_cgroup_write("cpuset.mems", migration->node);

	if (err)
		gmem_broken("cpuset.mems: %s", strerror(-err));
	migration->node = gmem_numa_other(migration->node);
}

const struct gmem_trigger gmem_trigger_cpuset = {
	.name = "cpuset",
	.by_address = true,
	.rounds = 2,
	.missing = cpuset_missing,
	.allocate = cpuset_allocate,
	.fire = cpuset_fire,
};
