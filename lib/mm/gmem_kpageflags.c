// SPDX-License-Identifier: GPL-2.0-only
/* The flags of the page at a pfn, from /proc/kpageflags. */
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

/* How often to read the flags of a page that is migrated meanwhile. */
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

/* Returns how many of @pfns, from the first on, are consecutive: one pread() reads them. */
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
			gmem_broken("/proc/kpageflags: pfns %#lx+%zu: %m", pfns[i], run);
	}
	close(fd);
}

/* Reads the flags of @page, which must have the same pfn before and after: it may migrate. */
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
	gmem_broken("wanted an anonymous page on an LRU list, got pfn %#lx, then %#lx, flags %#lx",
		    before, after, flags);
}

static void prove(void)
{
	char *page = map_page();
	u64 flags;

	flags = flags_of_mapped(page);
	if (!(flags & BIT_ULL(KPF_ANON)) || (flags & BIT_ULL(KPF_UNEVICTABLE)))
		gmem_broken("wanted an anonymous, evictable page, got flags %#lx", flags);
	if (mlock(page, getpagesize()))
		gmem_broken("mlock: %m");
	flags = flags_of_mapped(page);
	if (!(flags & BIT_ULL(KPF_UNEVICTABLE)))
		gmem_broken("wanted a locked page to be unevictable, got flags %#lx", flags);
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
