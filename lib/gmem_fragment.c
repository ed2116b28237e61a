// SPDX-License-Identifier: GPL-2.0-only
/* How fragmented the free memory of a node is. */
#include <stdio.h>
#include <string.h>

#include "gmem_fragment.h"

#define BUDDYINFO "/proc/buddyinfo"
#define EXTFRAG_INDEX "/sys/kernel/debug/extfrag/extfrag_index"

/* Both files have a line for each zone: "Node 0, zone DMA32", and a column per order. */
static void print_lines(const char *path, int node, const char *when, const char *what)
{
	char line[512];
	FILE *file;
	int here;

	file = fopen(path, "re");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Node %d, zone", &here) == 1 && here == node)
			fprintf(stderr, "# %s: %s: %.*s\n", when, what,
				(int)strcspn(line, "\n"), line);
	fclose(file);
}

void gmem_fragment_print(int node, const char *when)
{
	print_lines(BUDDYINFO, node, when, "free areas");
	print_lines(EXTFRAG_INDEX, node, when, "fragmentation");
}
