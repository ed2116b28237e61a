// SPDX-License-Identifier: GPL-2.0-only
/* The flags of a frame's page. */
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/kernel-page-flags.h>
#include <sys/mman.h>

#include "case/gmem_result.h"
#include "mm/gmem_kpageflags.h"
#include "mm/gmem_numa.h"
#include "mm/gmem_pagemap.h"

#define TRIES	10

static char *map_page(void)
{
	char *page = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		gmem_broken("out of memory");
	WRITE_ONCE(*page, 1);
	return page;
}

void gmem_kpageflags_drain(void)
{
	static char *page;

	if (!page) {
		gmem_skip_if(gmem_numa_missing());
		page = map_page();
	}
	gmem_numa_move(page, 1, getpagesize(), gmem_numa_node(0), false);
}

/* How many frames, from the first on, follow one another. */
static size_t run_of(const u64 *pfns, size_t count)
{
	size_t run = 1;

	while (run < count && pfns[run] == pfns[0] + run)
		run++;
	return run;
}

static void read_flags(const u64 *pfns, size_t count, u64 *flags)
{
	int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	size_t run;

	if (fd < 0)
		gmem_broken("/proc/kpageflags: %m");
	for (size_t i = 0; i < count; i += run) {
		run = run_of(&pfns[i], count - i);
		if (pread(fd, &flags[i], run * sizeof(*flags), pfns[i] * sizeof(*flags)) !=
		    (ssize_t)(run * sizeof(*flags)))
			gmem_broken("/proc/kpageflags: frames %#lx+%zu: %m", pfns[i], run);
	}
	close(fd);
}

/* The page may be moved by anybody: what counts was read in one and the same frame. */
static u64 flags_of_mapped(char *page)
{
	u64 before, after, flags;

	for (int try = 0; try < TRIES; try++) {
		gmem_kpageflags_drain();
		gmem_pagemap_read(page, 1, getpagesize(), &before);
		read_flags(&before, 1, &flags);
		gmem_pagemap_read(page, 1, getpagesize(), &after);
		if (before == after && (flags & BIT_ULL(KPF_LRU)))
			return flags;
	}
	gmem_broken("an ordinary page moves from frame %#lx to %#lx, and again", before, after);
}

static void prove(void)
{
	char *page = map_page();
	u64 flags;

	flags = flags_of_mapped(page);
	if (!(flags & BIT_ULL(KPF_ANON)) || (flags & BIT_ULL(KPF_UNEVICTABLE)))
		gmem_broken("an ordinary page has the flags %#lx", flags);
	if (mlock(page, getpagesize()))
		gmem_broken("mlock: %m");
	flags = flags_of_mapped(page);
	if (!(flags & BIT_ULL(KPF_UNEVICTABLE)))
		gmem_broken("a page locked in memory has the flags %#lx", flags);
	munmap(page, getpagesize());
}

void gmem_kpageflags_read(const u64 *pfns, size_t count, u64 *flags)
{
	static bool proven;

	if (!proven)
		prove();
	proven = true;
	read_flags(pfns, count, flags);
}
