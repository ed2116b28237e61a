// SPDX-License-Identifier: GPL-2.0-only
/* Where a pfn lies: its node, its zone, and whether it is in a CMA area. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/compiler.h>
#include <sys/mman.h>

#include "kselftest.h"

#include "case/gmem_alloc.h"
#include "case/gmem_file.h"
#include "case/gmem_result.h"
#include "mm/gmem_anon.h"
#include "mm/gmem_block.h"
#include "mm/gmem_numa.h"
#include "mm/gmem_pagemap.h"
#include "observe/gmem_pfn.h"
#include "observe/gmem_zone.h"
#include "vm/gmem_expect.h"
#include "vm/gmem_region.h"

#define CMA	"/sys/kernel/debug/cma"

/* The pfns [start, end) of a zone or a CMA area; a zone may have holes. */
struct span {
	u64 start, end;
	int node;
	char name[16];
};

static struct span zones[64], areas[32];
static int nzones = -1, nareas;

/* Only zones that have memory print their start_pfn; the others are skipped. */
static void read_zones(void)
{
	unsigned long spanned = 0, start;
	struct span span = {};
	char line[256];
	FILE *file;

	nzones = 0;
	file = fopen("/proc/zoneinfo", "re");
	if (!file)
		gmem_broken("/proc/zoneinfo: %m");
	while (nzones < ARRAY_SIZE(zones) && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Node %d, zone %15s", &span.node, span.name) == 2 ||
		    sscanf(line, " spanned %lu", &spanned) == 1 ||
		    sscanf(line, " start_pfn: %lu", &start) != 1)
			continue;
		span.start = start;
		span.end = start + spanned;
		zones[nzones++] = span;
	}
	fclose(file);
	if (!nzones)
		gmem_broken("/proc/zoneinfo has no zone");
}

static void read_area(const char *name)
{
	char path[320];

	snprintf(path, sizeof(path), CMA "/%s/ranges/1", name);
	if (gmem_file_exists(path))
		gmem_broken("CMA area %s has several ranges, and debugfs does not tell their sizes",
			    name);
	snprintf(path, sizeof(path), CMA "/%s/base_pfn", name);
	areas[nareas].start = gmem_file_read_long(path);
	snprintf(path, sizeof(path), CMA "/%s/count", name);
	areas[nareas].end = areas[nareas].start + gmem_file_read_long(path);
	nareas++;
}

static void read_areas(void)
{
	struct dirent *entry;
	DIR *dir = opendir(CMA);

	if (!dir)
		return;
	while (nareas < ARRAY_SIZE(areas) && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			read_area(entry->d_name);
	closedir(dir);
}

static bool within(const struct span *span, u64 pfn)
{
	return pfn >= span->start && pfn < span->end;
}

/*
 * Returns how many zones may hold @pfn, whose spans can overlap; @zone gets node and name of the
 * last one.
 */
static int find_zone(u64 pfn, struct gmem_zone *zone)
{
	int found = 0;

	for (int i = 0; i < nzones; i++) {
		if (!within(&zones[i], pfn))
			continue;
		found++;
		zone->node = zones[i].node;
		memcpy(zone->name, zones[i].name, sizeof(zone->name));
	}
	return found;
}

static void find_zone_of(u64 pfn, struct gmem_zone *zone)
{
	int found;

	memset(zone, 0, sizeof(*zone));
	found = find_zone(pfn, zone);
	if (!found)
		gmem_broken("pfn %#lx is in no zone", pfn);
	if (found > 1 && (!gmem_block_of(pfn, &zone->node, zone->name, sizeof(zone->name)) ||
			  !strcmp(zone->name, "none")))
		gmem_broken("pfn %#lx is within the spans of %d zones", pfn, found);
	zone->movable = !strcmp(zone->name, "Movable");
	for (int i = 0; i < nareas; i++)
		zone->cma |= within(&areas[i], pfn);
}

/* A page of this process that mbind(2) put on @node must be found there. */
static void prove_node(int node)
{
	size_t page_size = getpagesize();
	struct gmem_zone zone;
	u64 pfn;
	char name[16];
	char *page;
	int other;

	page = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		gmem_broken("out of memory");
	gmem_numa_mbind(page, page_size, node);
	WRITE_ONCE(*page, 1);
	gmem_pagemap_read(page, 1, page_size, &pfn);
	find_zone_of(pfn, &zone);
	if (zone.node != node)
		gmem_broken("pfn %#lx: wanted node %d, got node %d", pfn, node, zone.node);
	if (gmem_block_of(pfn, &other, name, sizeof(name)) && strcmp(name, "none") &&
	    (other != node || strcmp(name, zone.name)))
		gmem_broken("pfn %#lx: wanted zone %s of node %d by its memory block, got %s of %d",
			    pfn, zone.name, node, name, other);
	munmap(page, page_size);
}

static void prove(void)
{
	if (gmem_numa_missing() != GMEM_SKIP_none)
		return;
	for (int nth = 0; nth < 2; nth++)
		prove_node(gmem_numa_node(nth));
}

void gmem_zone_of(u64 pfn, struct gmem_zone *zone)
{
	if (nzones < 0) {
		read_zones();
		read_areas();
		prove();
	}
	find_zone_of(pfn, zone);
}

/* The node of the first ZONE_MOVABLE, or -1. */
static int movable_node(void)
{
	read_zones();
	for (int i = 0; i < nzones; i++)
		if (!strcmp(zones[i].name, "Movable"))
			return zones[i].node;
	return -1;
}

int gmem_zone_movable_node(void)
{
	int node = movable_node();

	if (node < 0 && gmem_block_online_movable())
		node = movable_node();
	if (node < 0)
		gmem_skip_if(GMEM_SKIP_no_zone_movable);
	nzones = -1;
	return node;
}

/* Whether @pfn is on @node, and, if @movable, in ZONE_MOVABLE. */
static bool is_there(u64 pfn, int node, bool movable, struct gmem_zone *zone)
{
	gmem_zone_of(pfn, zone);
	return zone->node == node && (zone->movable || !movable);
}

bool gmem_zone_all_there(const u64 *pfns, size_t count, int node, bool movable)
{
	struct gmem_zone zone;

	for (size_t i = 0; i < count; i++)
		if (!is_there(pfns[i], node, movable, &zone))
			return false;
	return true;
}

size_t gmem_zone_check_region_at(const struct gmem_location *at, struct gmem_region *region,
				 int node, bool movable, const char *how)
{
	u64 *pfns = gmem_zalloc(region->npages, sizeof(*pfns));
	struct gmem_zone zone;

	gmem_pfn_read(region, pfns);
	for (size_t page = 0; page < region->npages; page++)
		if (!is_there(pfns[page], node, movable, &zone))
			gmem_fail_at(at, GMEM_PLACEMENT,
				     "%s: page %zu: wanted node %d%s, got node %d, zone %s (pfn %#lx, %s, expect %s)",
				     how, page, node, movable ? ", zone Movable" : "", zone.node,
				     zone.name, pfns[page], region->name, gmem_expect_name());
	free(pfns);
	return region->npages;
}

size_t gmem_zone_check_control(struct gmem_anon *control, int node, bool movable, const char *how)
{
	struct gmem_zone zone;

	gmem_anon_snapshot(control);
	for (size_t page = 0; page < control->npages; page++)
		if (!is_there(control->pfns[page], node, movable, &zone))
			gmem_broken("%s: anonymous page %zu: wanted node %d, got node %d, zone %s",
				    how, page, node, zone.node, zone.name);
	return control->npages;
}

size_t gmem_zone_in_cma(const u64 *pfns, size_t count)
{
	struct gmem_zone zone;
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		gmem_zone_of(pfns[i], &zone);
		found += zone.cma;
	}
	return found;
}
