// SPDX-License-Identifier: GPL-2.0-only
/* DAMON on physical addresses, through its sysfs interface. */
#include <stdio.h>
#include <string.h>

#include "gmem_control.h"
#include "gmem_damon.h"
#include "gmem_deadline.h"
#include "gmem_file.h"
#include "gmem_numa.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_undo.h"

/* Seconds for what DAMON does within milliseconds. */
#define PATIENCE 30

#define KDAMONDS	"/sys/kernel/mm/damon/admin/kdamonds"
#define KDAMOND		KDAMONDS "/0"
#define CONTEXT		KDAMOND "/contexts/0"
#define REGION		CONTEXT "/targets/0/regions/0"
#define SCHEME		CONTEXT "/schemes/0"

enum gmem_skip gmem_damon_missing(void)
{
	if (!gmem_file_exists(KDAMONDS "/nr_kdamonds") ||
	    gmem_file_read_long(KDAMONDS "/nr_kdamonds"))
		return GMEM_SKIP_no_damon;
	return GMEM_SKIP_none;
}

static void write_number(const char *path, __u64 value)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	gmem_file_write(path, text);
}

static void set_range(__u64 start, __u64 end)
{
	write_number(CONTEXT "/targets/nr_targets", 1);
	write_number(CONTEXT "/targets/0/regions/nr_regions", 1);
	write_number(REGION "/start", start);
	write_number(REGION "/end", end);
}

/* All memory, whatever its size, accesses and age: the maxima are 0 at first. */
static void set_scheme(const char *action, int node)
{
	write_number(CONTEXT "/schemes/nr_schemes", 1);
	gmem_file_write(SCHEME "/action", action);
	write_number(SCHEME "/target_nid", node);
	write_number(SCHEME "/access_pattern/sz/max", -1ULL);
	write_number(SCHEME "/access_pattern/nr_accesses/max", -1U);
	write_number(SCHEME "/access_pattern/age/max", -1U);
}

/* In microseconds: the action is applied once an aggregation interval. */
static void set_intervals(__u64 sample, __u64 aggregation)
{
	write_number(CONTEXT "/monitoring_attrs/intervals/sample_us", sample);
	write_number(CONTEXT "/monitoring_attrs/intervals/aggr_us", aggregation);
}

/* On the physical addresses [@from, @to). */
static void start(const char *action, __u64 from, __u64 to, int node)
{
	gmem_undo_write(KDAMONDS "/nr_kdamonds", "0");
	write_number(KDAMONDS "/nr_kdamonds", 1);
	write_number(KDAMOND "/contexts/nr_contexts", 1);
	gmem_file_write(CONTEXT "/operations", "paddr");
	set_intervals(2000, 20000);
	set_range(from, to);
	set_scheme(action, node);
	gmem_undo_write(KDAMOND "/state", "off");
	gmem_file_write(KDAMOND "/state", "on");
}

/* Bytes that the action has been tried on since the start. */
static __u64 tried(void)
{
	gmem_file_write(KDAMOND "/state", "update_schemes_stats");
	return gmem_file_read_long(SCHEME "/stats/sz_tried");
}

static void widen(const __u64 *frames, size_t count, __u64 *first, __u64 *last)
{
	for (size_t i = 0; i < count; i++) {
		*first = frames[i] < *first ? frames[i] : *first;
		*last = frames[i] > *last ? frames[i] : *last;
	}
}

void gmem_damon_fire(struct gmem_scene *scene, const char *action)
{
	struct gmem_deadline deadline = gmem_deadline_in(PATIENCE);
	size_t page_size = scene->region->page_size;
	static __u64 first = -1, last, until;

	if (!until) {
		widen(scene->frames, scene->region->npages, &first, &last);
		widen(scene->control->frames, scene->control->npages, &first, &last);
		start(action, first * page_size, (last + 1) * page_size, gmem_numa_node(1));
	}
	/* Twice, so that once was begun after the last look and ended before now. */
	until += 2 * (last + 1 - first) * page_size;
	while (tried() < until)
		if (!gmem_deadline_poll(&deadline))
			gmem_broken("DAMON %s: tried %llu bytes of %llu", action,
				    tried(), until);
}
