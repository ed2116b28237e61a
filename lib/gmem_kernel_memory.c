// SPDX-License-Identifier: GPL-2.0-only
/* What memory the kernel holds for itself. */
#include <stdio.h>
#include <string.h>

#include "kselftest.h"

#include "gmem_case.h"
#include "gmem_kernel_memory.h"

enum {
	TOTAL, FREE, AVAILABLE,
	BUFFERS, CACHED, ANON, HUGETLB,
	SLAB, STACKS, TABLES, SECONDARY, PERCPU,
};

/* Pages of guest_memfd are page cache. */
static const char * const fields[] = {
	[TOTAL] = "MemTotal:",
	[FREE] = "MemFree:",
	[AVAILABLE] = "MemAvailable:",
	[BUFFERS] = "Buffers:",
	[CACHED] = "Cached:",
	[ANON] = "AnonPages:",
	[HUGETLB] = "Hugetlb:",
	[SLAB] = "Slab:",
	[STACKS] = "KernelStack:",
	[TABLES] = "PageTables:",
	[SECONDARY] = "SecPageTables:",
	[PERCPU] = "Percpu:",
};

void gmem_kernel_memory_read(struct gmem_kernel_memory *memory)
{
	long value[ARRAY_SIZE(fields)] = {}, kib;
	char line[128], name[32];
	FILE *file;

	file = fopen("/proc/meminfo", "re");
	if (!file)
		gmem_broken("/proc/meminfo: %m");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%31s %ld", name, &kib) != 2)
			continue;
		for (int i = 0; i < ARRAY_SIZE(fields); i++)
			if (!strcmp(name, fields[i]))
				value[i] = kib;
	}
	fclose(file);
	memory->used = value[TOTAL] - value[AVAILABLE];
	memory->kernel = value[TOTAL] - value[FREE] - value[BUFFERS] - value[CACHED] -
			 value[ANON] - value[HUGETLB];
	memory->slab = value[SLAB];
	memory->stacks = value[STACKS];
	memory->tables = value[TABLES] + value[SECONDARY];
	memory->percpu = value[PERCPU];
	memory->rest = memory->kernel - memory->slab - memory->stacks - memory->tables -
		       memory->percpu;
}
