// SPDX-License-Identifier: GPL-2.0-only
/* Triggers that send pages to another node, by their address in this process. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gmem_case.h"
#include "gmem_cgroup.h"
#include "gmem_child.h"
#include "gmem_control.h"
#include "gmem_numa.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_trigger.h"

static void move_pages(struct gmem_scene *scene, bool all)
{
	struct gmem_region *region = scene->region;
	struct gmem_control *control = scene->control;

	gmem_numa_move(gmem_region_host(region, 0), region->npages, region->page_size,
		       scene->node, all);
	gmem_numa_move(control->mem, control->npages, control->page_size, scene->node, all);
	scene->node = gmem_numa_other(scene->node);
}

static void move_pages_fire(struct gmem_scene *scene)
{
	move_pages(scene, false);
}

static void move_pages_all_fire(struct gmem_scene *scene)
{
	move_pages(scene, true);
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
	struct gmem_scene *scene = arg;
	struct gmem_region *region = scene->region;
	struct gmem_control *control = scene->control;
	int *status = calloc(region->npages, sizeof(*status));

	if (!status)
		_exit(1);
	__gmem_numa_move(getppid(), region->host, region->npages, region->page_size,
			 scene->node, true, status);
	__gmem_numa_move(getppid(), control->mem, control->npages, control->page_size,
			 scene->node, true, status);
}

/* Another process asks for it, and waits until it is done. */
static void move_pages_by_other_fire(struct gmem_scene *scene)
{
	pid_t other = gmem_child_start(move_pages_of_parent, scene);
	int status = gmem_child_wait(other, GMEM_C9, "another process moves pages");

	if (status)
		gmem_broken("the process that moves pages ended with status %#x", status);
	scene->node = gmem_numa_other(scene->node);
}

const struct gmem_trigger gmem_trigger_move_pages_by_other = {
	.name = "move_pages_by_other",
	.by_address = true,
	.rounds = 10,
	.missing = gmem_numa_missing,
	.fire = move_pages_by_other_fire,
};

static void mbind_fire(struct gmem_scene *scene)
{
	struct gmem_region *region = scene->region;
	struct gmem_control *control = scene->control;

	gmem_numa_mbind(gmem_region_host(region, 0), gmem_region_size(region), scene->node);
	gmem_numa_mbind(control->mem, gmem_control_size(control), scene->node);
	scene->node = gmem_numa_other(scene->node);
}

const struct gmem_trigger gmem_trigger_mbind = {
	.name = "mbind",
	.by_address = true,
	.rounds = 10,
	.missing = gmem_numa_missing,
	.fire = mbind_fire,
};

static void migrate_pages_fire(struct gmem_scene *scene)
{
	gmem_numa_migrate(gmem_numa_other(scene->node), scene->node);
	scene->node = gmem_numa_other(scene->node);
}

const struct gmem_trigger gmem_trigger_migrate_pages = {
	.name = "migrate_pages",
	.by_address = true,
	.rounds = 2,
	.missing = gmem_numa_missing,
	.fire = migrate_pages_fire,
};

static enum gmem_skip cpuset_missing(void)
{
	enum gmem_skip why = gmem_numa_missing();

	if (!why && !gmem_cgroup_offers("cpuset"))
		why = GMEM_SKIP_no_cpuset;
	return why;
}

static void cpuset_place(struct gmem_scene *scene)
{
	gmem_cgroup_enter("cpuset");
	gmem_scene_allocate(scene);
}

/* The write returns when the memory has moved, or was refused. */
static void cpuset_fire(struct gmem_scene *scene)
{
	int err = __gmem_cgroup_write("cpuset.mems", scene->node);

	if (err)
		gmem_broken("cpuset.mems: %s", strerror(-err));
	scene->node = gmem_numa_other(scene->node);
}

const struct gmem_trigger gmem_trigger_cpuset = {
	.name = "cpuset",
	.by_address = true,
	.rounds = 2,
	.missing = cpuset_missing,
	.place = cpuset_place,
	.fire = cpuset_fire,
};
