// SPDX-License-Identifier: GPL-2.0-only
/* DAMON on physical addresses, through its sysfs interface. */
#include <stdio.h>

#include "case/gmem_deadline.h"
#include "case/gmem_file.h"
#include "case/gmem_restore.h"
#include "case/gmem_result.h"
#include "mm/gmem_anon.h"
#include "mm/gmem_numa.h"
#include "trigger/gmem_damon.h"
#include "trigger/gmem_migration.h"
#include "vm/gmem_region.h"

#define KDAMONDS	"/sys/kernel/mm/damon/admin/kdamonds"
#define KDAMOND		KDAMONDS "/0"
#define CONTEXT		KDAMOND "/contexts/0"
#define REGION		CONTEXT "/targets/0/regions/0"
#define SCHEME		CONTEXT "/schemes/0"

enum gmem_skip_reason gmem_damon_missing(void)
{
	if (!gmem_file_exists(KDAMONDS "/nr_kdamonds") ||
	    gmem_file_read_long(KDAMONDS "/nr_kdamonds"))
		return GMEM_SKIP_no_damon;
	return GMEM_SKIP_none;
}

static void write_number(const char *path, u64 value)
{
	char text[32];

	snprintf(text, sizeof(text), "%lu", value);
	gmem_file_write(path, text);
}

static void set_range(u64 start, u64 end)
{
	write_number(CONTEXT "/targets/nr_targets", 1);
	write_number(CONTEXT "/targets/0/regions/nr_regions", 1);
	write_number(REGION "/start", start);
	write_number(REGION "/end", end);
}

/* The scheme applies to memory of any size, access count and age; the maxima are 0 at first. */
static void set_scheme(const char *action, int node)
{
	write_number(CONTEXT "/schemes/nr_schemes", 1);
	gmem_file_write(SCHEME "/action", action);
	write_number(SCHEME "/target_nid", node);
	write_number(SCHEME "/access_pattern/sz/max", -1ULL);
	write_number(SCHEME "/access_pattern/nr_accesses/max", -1U);
	write_number(SCHEME "/access_pattern/age/max", -1U);
}

/* Sets the intervals, in microseconds; the action is applied once per aggregation interval. */
static void set_intervals(u64 sample, u64 aggregation)
{
	write_number(CONTEXT "/monitoring_attrs/intervals/sample_us", sample);
	write_number(CONTEXT "/monitoring_attrs/intervals/aggr_us", aggregation);
}

/* Starts DAMON with @action on the physical addresses [@from, @to). */
static void start_damon(const char *action, u64 from, u64 to, int node)
{
	gmem_restore_write(KDAMONDS "/nr_kdamonds", "0");
	write_number(KDAMONDS "/nr_kdamonds", 1);
	write_number(KDAMOND "/contexts/nr_contexts", 1);
	gmem_file_write(CONTEXT "/operations", "paddr");
	set_intervals(2000, 20000);
	set_range(from, to);
	set_scheme(action, node);
	gmem_restore_write(KDAMOND "/state", "off");
	gmem_file_write(KDAMOND "/state", "on");
}

/* Returns the bytes that DAMON has tried the action on since its start. */
static u64 tried_bytes(void)
{
	gmem_file_write(KDAMOND "/state", "update_schemes_stats");
	return gmem_file_read_long(SCHEME "/stats/sz_tried");
}

/* Widens the range [*first, *last] so that it has all @pfns. */
static void widen(const u64 *pfns, size_t count, u64 *first, u64 *last)
{
	for (size_t i = 0; i < count; i++) {
		*first = pfns[i] < *first ? pfns[i] : *first;
		*last = pfns[i] > *last ? pfns[i] : *last;
	}
}

void gmem_damon_fire(struct gmem_migration *migration, const char *action)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_SLOW_TIMEOUT_S);
	size_t page_size = migration->region->page_size;
	static u64 first = -1, last, until;

	if (!until) {
		widen(migration->pfns, migration->region->npages, &first, &last);
		widen(migration->control->pfns, migration->control->npages, &first, &last);
		start_damon(action, first * page_size, (last + 1) * page_size, gmem_numa_node(1));
	}
	/* One of two passes has begun after the last snapshot, and ended before this returns. */
	until += 2 * (last + 1 - first) * page_size;
	while (tried_bytes() < until)
		if (!gmem_deadline_poll(&deadline))
			gmem_broken("DAMON %s: wanted %lu bytes tried, got %lu", action, until,
				    tried_bytes());
}
