// SPDX-License-Identifier: GPL-2.0-only
/* Triggers that send pages to another node, by their address in this process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "gmem_case.h"
#include "gmem_control.h"
#include "gmem_file.h"
#include "gmem_numa.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_trigger.h"
#include "gmem_undo.h"

#define CGROUP	"/sys/fs/cgroup"

/* There and back: the node where the scene is not. */
static int other_node(int node)
{
	return node == gmem_numa_node(0) ? gmem_numa_node(1) : gmem_numa_node(0);
}

static void move_pages(struct gmem_scene *scene, bool all)
{
	struct gmem_region *region = scene->region;
	struct gmem_control *control = scene->control;

	gmem_numa_move(gmem_region_host(region, 0), region->npages, region->page_size,
		       scene->node, all);
	gmem_numa_move(control->mem, control->npages, control->page_size, scene->node, all);
	scene->node = other_node(scene->node);
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

static void mbind_fire(struct gmem_scene *scene)
{
	struct gmem_region *region = scene->region;
	struct gmem_control *control = scene->control;

	gmem_numa_mbind(gmem_region_host(region, 0), region->npages * region->page_size,
			scene->node);
	gmem_numa_mbind(control->mem, control->npages * control->page_size, scene->node);
	scene->node = other_node(scene->node);
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
	gmem_numa_migrate(other_node(scene->node), scene->node);
	scene->node = other_node(scene->node);
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
	char controllers[256];

	if (gmem_numa_missing())
		return gmem_numa_missing();
	if (__gmem_file_read(CGROUP "/cgroup.controllers", controllers,
			     sizeof(controllers)) < 0 || !strstr(controllers, "cpuset"))
		return GMEM_SKIP_no_cpuset;
	return GMEM_SKIP_none;
}

static void set_mems(const char *nodes)
{
	char path[96];

	snprintf(path, sizeof(path), CGROUP "/gmem_%d/cpuset.mems", getpid());
	gmem_file_write(path, nodes);
}

/* A cgroup of this process's own, which may use both nodes to begin with. */
static void cpuset_place(struct gmem_scene *scene)
{
	char path[96], enabled[256], pid[16], nodes[32];

	if (__gmem_file_read(CGROUP "/cgroup.subtree_control", enabled, sizeof(enabled)) < 0)
		gmem_broken(CGROUP "/cgroup.subtree_control: %m");
	if (!strstr(enabled, "cpuset")) {
		gmem_file_write(CGROUP "/cgroup.subtree_control", "+cpuset");
		gmem_undo_write(CGROUP "/cgroup.subtree_control", "-cpuset");
	}
	snprintf(path, sizeof(path), CGROUP "/gmem_%d", getpid());
	if (mkdir(path, 0700))
		gmem_broken("%s: %m", path);
	gmem_undo_rmdir(path);
	snprintf(nodes, sizeof(nodes), "%d,%d", gmem_numa_node(0), gmem_numa_node(1));
	set_mems(nodes);
	strcat(path, "/cgroup.procs");
	snprintf(pid, sizeof(pid), "%d", getpid());
	gmem_file_write(path, pid);
	gmem_scene_allocate(scene);
}

/* The write returns when the memory has moved, or was refused. */
static void cpuset_fire(struct gmem_scene *scene)
{
	char node[16];

	snprintf(node, sizeof(node), "%d", scene->node);
	set_mems(node);
	scene->node = other_node(scene->node);
}

const struct gmem_trigger gmem_trigger_cpuset = {
	.name = "cpuset",
	.by_address = true,
	.rounds = 2,
	.missing = cpuset_missing,
	.place = cpuset_place,
	.fire = cpuset_fire,
};
