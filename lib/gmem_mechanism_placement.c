// SPDX-License-Identifier: GPL-2.0-only
/* Mechanisms that place memory: NUMA balancing and DAMON. */
#include "gmem_balancing.h"
#include "gmem_case.h"
#include "gmem_control.h"
#include "gmem_damon.h"
#include "gmem_mechanism.h"
#include "gmem_mechanism_row.h"
#include "gmem_numa.h"
#include "gmem_region.h"
#include "gmem_scene.h"

/* From the second node, what is on the first. */
static void touch_all(void *arg)
{
	struct gmem_scene *scene = arg;

	for (size_t page = 0; page < scene->region->npages; page++)
		(void)READ_ONCE(*(char *)gmem_region_host(scene->region, page));
	for (size_t page = 0; page < scene->control->npages; page++)
		(void)READ_ONCE(scene->control->mem[page * scene->control->page_size]);
}

static void balancing_place(struct gmem_scene *scene)
{
	/* The vCPU's thread to be inherits this, and leaves the other node to the reader. */
	gmem_numa_run_on(gmem_numa_node(0));
	gmem_balancing_hurry();
	gmem_scene_allocate(scene);
}

/* In the first scan, or by the fault after it, a page is only known to be remote. */
#define SCANS 3

/* There, which is where guest_memfd is not, and back, if once is not enough. */
static void balancing_fire(struct gmem_scene *scene)
{
	gmem_balancing_run(scene->node, SCANS, touch_all, gmem_mechanism_took_half, scene);
	scene->node = gmem_numa_other(scene->node);
}

const struct gmem_trigger gmem_mechanism_numa_balancing = {
	.name = "numa_balancing",
	.missing = gmem_balancing_missing,
	.place = balancing_place,
	.fire = balancing_fire,
};

static void balancing_policy_place(struct gmem_scene *scene)
{
	size_t spare = scene->region->page_size;

	balancing_place(scene);
	/* With the spare page, lest that become a mapping, to be scanned, of its own. */
	gmem_numa_balance(gmem_region_host(scene->region, 0),
			  gmem_region_size(scene->region) + spare);
	gmem_numa_balance(scene->control->mem, gmem_control_size(scene->control));
}

const struct gmem_trigger gmem_mechanism_numa_balancing_policy = {
	.name = "numa_balancing_policy",
	.missing = gmem_balancing_missing,
	.place = balancing_policy_place,
	.fire = balancing_fire,
};

static enum gmem_skip damon_migrate_missing(void)
{
	return gmem_numa_node(1) < 0 ? GMEM_SKIP_no_numa : gmem_damon_missing();
}

static void damon_migrate_hot_fire(struct gmem_scene *scene)
{
	gmem_damon_fire(scene, "migrate_hot");
}

const struct gmem_trigger gmem_mechanism_damon_migrate_hot = {
	.name = "damon_migrate_hot",
	.missing = damon_migrate_missing,
	.fire = damon_migrate_hot_fire,
};

static void damon_migrate_cold_fire(struct gmem_scene *scene)
{
	gmem_damon_fire(scene, "migrate_cold");
}

const struct gmem_trigger gmem_mechanism_damon_migrate_cold = {
	.name = "damon_migrate_cold",
	.missing = damon_migrate_missing,
	.fire = damon_migrate_cold_fire,
};
