// SPDX-License-Identifier: GPL-2.0-only
/* How fragmented the free memory of a node is. */
#include <stdio.h>
#include <string.h>

#include "case/gmem_result.h"
#include "mm/gmem_buddyinfo.h"

#define BUDDYINFO "/proc/buddyinfo"
#define EXTFRAG_INDEX "/sys/kernel/debug/extfrag/extfrag_index"

/*
 * Calls @fn for each number in the lines of @node in the file @path; false if there is no
 * such file.  Both files have a line for each zone, which begins with "Node 0, zone DMA32" and
 * has a column for each order.
 */
static bool read_columns(const char *path, int node,
			 void (*fn)(struct gmem_buddyinfo *buddyinfo, int order, double value),
			 struct gmem_buddyinfo *buddyinfo)
{
	double value;
	char line[512];
	FILE *file;

	file = fopen(path, "re");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		int here = -1, at = 0, next;

		if (sscanf(line, "Node %d, zone %*s%n", &here, &at) != 1 || here != node)
			continue;
		for (int order = 0; order < GMEM_ORDERS; order++) {
			if (sscanf(line + at, "%lf%n", &value, &next) != 1)
				break;
			fn(buddyinfo, order, value);
			at += next;
		}
	}
	fclose(file);
	return true;
}

static void add_areas(struct gmem_buddyinfo *buddyinfo, int order, double value)
{
	buddyinfo->areas[order] += value;
	if (order >= buddyinfo->orders)
		buddyinfo->orders = order + 1;
}

/* Keeps the highest index of all zones; an empty zone has -1, which says nothing. */
static void raise_index(struct gmem_buddyinfo *buddyinfo, int order, double value)
{
	if (value > buddyinfo->index[order])
		buddyinfo->index[order] = value;
}

void gmem_buddyinfo_read(int node, struct gmem_buddyinfo *buddyinfo)
{
	memset(buddyinfo, 0, sizeof(*buddyinfo));
	for (int order = 0; order < GMEM_ORDERS; order++)
		buddyinfo->index[order] = -1;
	if (!read_columns(BUDDYINFO, node, add_areas, buddyinfo))
		gmem_broken(BUDDYINFO ": %m");
	buddyinfo->has_index = read_columns(EXTFRAG_INDEX, node, raise_index, buddyinfo);
}

void gmem_buddyinfo_print(const char *what, const struct gmem_buddyinfo *before,
			  const struct gmem_buddyinfo *after)
{
	fprintf(stderr, "# FREE AREAS per order, %s:", what);
	for (int order = 0; order < before->orders; order++)
		fprintf(stderr, " %ld>%ld", before->areas[order], after->areas[order]);
	fprintf(stderr, "\n");
	if (!before->has_index)
		return;
	fprintf(stderr, "# FRAGMENTATION INDEX per order, %s:", what);
	for (int order = 0; order < before->orders; order++)
		fprintf(stderr, " %.3f>%.3f", before->index[order], after->index[order]);
	fprintf(stderr, "\n");
}

long gmem_buddyinfo_free(int node, unsigned int order)
{
	struct gmem_buddyinfo buddyinfo;
	long total = 0;

	gmem_buddyinfo_read(node, &buddyinfo);
	for (unsigned int i = order; i < GMEM_ORDERS; i++)
		total += buddyinfo.areas[i] << (i - order);
	return total;
}
