// SPDX-License-Identifier: GPL-2.0-only
/* The place of a frame: its node, its zone, and whether a CMA area has it. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include "kselftest.h"

#include "gmem_block.h"
#include "gmem_case.h"
#include "gmem_control.h"
#include "gmem_file.h"
#include "gmem_frame.h"
#include "gmem_numa.h"
#include "gmem_place.h"
#include "gmem_region.h"

#define CMA	"/sys/kernel/debug/cma"

/* Frames [start, end) of a zone or a CMA area; zones may have holes. */
struct span {
	__u64 start, end;
	int node;
	char zone[16];
};

static struct span zone[64], area[32];
static int nzones = -1, nareas;

/* Zones that are populated say where they start; the others are passed over. */
static void read_zones(void)
{
	unsigned long long spanned = 0, start;
	struct span here = {};
	char line[256];
	FILE *file;

	nzones = 0;
	file = fopen("/proc/zoneinfo", "re");
	if (!file)
		gmem_broken("/proc/zoneinfo: %m");
	while (nzones < ARRAY_SIZE(zone) && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Node %d, zone %15s", &here.node, here.zone) == 2 ||
		    sscanf(line, " spanned %llu", &spanned) == 1 ||
		    sscanf(line, " start_pfn: %llu", &start) != 1)
			continue;
		here.start = start;
		here.end = start + spanned;
		zone[nzones++] = here;
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
		gmem_broken("CMA area %s has several ranges, whose sizes are not told", name);
	snprintf(path, sizeof(path), CMA "/%s/base_pfn", name);
	area[nareas].start = gmem_file_read_long(path);
	snprintf(path, sizeof(path), CMA "/%s/count", name);
	area[nareas].end = area[nareas].start + gmem_file_read_long(path);
	nareas++;
}

static void read_areas(void)
{
	struct dirent *entry;
	DIR *dir = opendir(CMA);

	if (!dir)
		return;
	while (nareas < ARRAY_SIZE(area) && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			read_area(entry->d_name);
	closedir(dir);
}

static bool within(const struct span *span, __u64 frame)
{
	return frame >= span->start && frame < span->end;
}

/* How many zones might have @frame; the last one of them is noted in @place. */
static int find_zone(__u64 frame, struct gmem_place *place)
{
	int found = 0;

	for (int i = 0; i < nzones; i++) {
		if (!within(&zone[i], frame))
			continue;
		found++;
		place->node = zone[i].node;
		memcpy(place->zone, zone[i].zone, sizeof(place->zone));
	}
	return found;
}

static void find_place(__u64 frame, struct gmem_place *place)
{
	int found;

	memset(place, 0, sizeof(*place));
	found = find_zone(frame, place);
	if (!found)
		gmem_broken("frame %#llx is in no zone", frame);
	if (found > 1 && (!gmem_block_of(frame, &place->node, place->zone, sizeof(place->zone)) ||
			  !strcmp(place->zone, "none")))
		gmem_broken("frame %#llx is within the spans of %d zones", frame, found);
	place->movable = !strcmp(place->zone, "Movable");
	for (int i = 0; i < nareas; i++)
		place->cma |= within(&area[i], frame);
}

/* A page of ours that mbind(2) put on @node must be found there. */
static void prove_node(int node)
{
	size_t page_size = getpagesize();
	struct gmem_place place;
	__u64 frame;
	char zone[16];
	char *page;
	int other;

	page = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		gmem_broken("out of memory");
	gmem_numa_mbind(page, page_size, node);
	WRITE_ONCE(*page, 1);
	gmem_frame_read_mapped(page, 1, page_size, &frame);
	find_place(frame, &place);
	if (place.node != node)
		gmem_broken("frame %#llx of node %d is said to be on node %d", frame, node,
			    place.node);
	if (gmem_block_of(frame, &other, zone, sizeof(zone)) && strcmp(zone, "none") &&
	    (other != node || strcmp(zone, place.zone)))
		gmem_broken("frame %#llx of zone %s of node %d is in a block of %s, node %d",
			    frame, place.zone, node, zone, other);
	munmap(page, page_size);
}

static void prove(void)
{
	if (gmem_numa_missing() != GMEM_SKIP_none)
		return;
	for (int nth = 0; nth < 2; nth++)
		prove_node(gmem_numa_node(nth));
}

void gmem_place_of(__u64 frame, struct gmem_place *place)
{
	if (nzones < 0) {
		read_zones();
		read_areas();
		prove();
	}
	find_place(frame, place);
}

/* -1 if no zone is ZONE_MOVABLE. */
static int movable_node(void)
{
	read_zones();
	for (int i = 0; i < nzones; i++)
		if (!strcmp(zone[i].zone, "Movable"))
			return zone[i].node;
	return -1;
}

int gmem_place_movable_node(void)
{
	int node = movable_node();

	if (node < 0 && gmem_block_online_movable())
		node = movable_node();
	if (node < 0)
		gmem_skip_if(GMEM_SKIP_no_zone_movable);
	nzones = -1;
	return node;
}

/* True if @frame is on @node, and in ZONE_MOVABLE if @movable. */
static bool is_there(__u64 frame, int node, bool movable, struct gmem_place *place)
{
	gmem_place_of(frame, place);
	return place->node == node && (place->movable || !movable);
}

bool gmem_place_all_there(const __u64 *frames, size_t count, int node, bool movable)
{
	struct gmem_place place;

	for (size_t i = 0; i < count; i++)
		if (!is_there(frames[i], node, movable, &place))
			return false;
	return true;
}

size_t gmem_place_check_region(struct gmem_region *region, int node, bool movable,
			       const char *how)
{
	__u64 *frames = calloc(region->npages, sizeof(*frames));
	struct gmem_place place;

	if (!frames)
		gmem_broken("out of memory");
	gmem_frame_read(region, frames);
	for (size_t page = 0; page < region->npages; page++)
		if (!is_there(frames[page], node, movable, &place))
			gmem_fail(GMEM_C7,
				  "%s: page %zu: wanted node %d%s, got node %d, zone %s (frame %#llx, flags %s, policy %s)",
				  how, page, node, movable ? ", zone Movable" : "", place.node,
				  place.zone, frames[page], gmem_flags_name(region->flags),
				  gmem_policy_name());
	free(frames);
	return region->npages;
}

size_t gmem_place_check_control(struct gmem_control *control, int node, bool movable,
				const char *how)
{
	struct gmem_place place;

	gmem_control_look(control);
	for (size_t page = 0; page < control->npages; page++)
		if (!is_there(control->frames[page], node, movable, &place))
			gmem_broken("%s: ordinary page %zu: wanted node %d, got node %d, zone %s",
				    how, page, node, place.node, place.zone);
	return control->npages;
}

size_t gmem_place_in_cma(const __u64 *frames, size_t count)
{
	struct gmem_place place;
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		gmem_place_of(frames[i], &place);
		found += place.cma;
	}
	return found;
}
