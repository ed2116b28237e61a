// SPDX-License-Identifier: GPL-2.0-only
/* Anonymous memory as the positive control. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/compiler.h>
#include <sys/mman.h>

#include "case/gmem_alloc.h"
#include "case/gmem_deadline.h"
#include "case/gmem_result.h"
#include "mm/gmem_anon.h"
#include "mm/gmem_numa.h"
#include "mm/gmem_pagemap.h"

struct gmem_anon *gmem_anon_create(size_t npages)
{
	struct gmem_anon *control = gmem_zalloc(1, sizeof(*control));

	control->npages = npages;
	control->page_size = getpagesize();
	control->pfns = gmem_zalloc(npages, sizeof(*control->pfns));
	control->mem = mmap(NULL, npages * control->page_size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (control->mem == MAP_FAILED)
		gmem_broken("out of memory");
	/* This fails on a kernel without THP, where there are no huge pages to avoid. */
	madvise(control->mem, npages * control->page_size, MADV_NOHUGEPAGE);
	return control;
}

void gmem_anon_free(struct gmem_anon *control)
{
	if (!control)
		return;
	munmap(control->mem, gmem_anon_size(control));
	free(control->pfns);
	free(control);
}

void gmem_anon_touch(struct gmem_anon *control, size_t first, size_t count)
{
	for (size_t page = first; page < first + count; page++)
		WRITE_ONCE(control->mem[page * control->page_size], 1);
}

void gmem_anon_touch_on(struct gmem_anon *control, int node)
{
	gmem_anon_touch(control, 0, control->npages);
	gmem_numa_move(control->mem, control->npages, control->page_size, node, false);
}

void gmem_anon_discard(struct gmem_anon *control, size_t first, size_t count)
{
	if (madvise(control->mem + first * control->page_size, count * control->page_size,
		    MADV_DONTNEED))
		gmem_broken("MADV_DONTNEED: %m");
}

size_t gmem_anon_present(const struct gmem_anon *control)
{
	u64 *now = gmem_zalloc(control->npages, sizeof(*now));
	size_t present = 0;

	gmem_pagemap_read(control->mem, control->npages, control->page_size, now);
	for (size_t page = 0; page < control->npages; page++)
		present += now[page] != 0;
	free(now);
	return present;
}

static size_t count_moved(struct gmem_anon *control, bool update)
{
	u64 *now = gmem_zalloc(control->npages, sizeof(*now));
	size_t moved = 0;

	gmem_pagemap_read(control->mem, control->npages, control->page_size, now);
	for (size_t page = 0; page < control->npages; page++)
		moved += now[page] != control->pfns[page];
	if (update)
		memcpy(control->pfns, now, control->npages * sizeof(*now));
	free(now);
	return moved;
}

size_t gmem_anon_moved(struct gmem_anon *control)
{
	return count_moved(control, true);
}

size_t gmem_anon_away(struct gmem_anon *control)
{
	return count_moved(control, false);
}

void gmem_anon_snapshot(struct gmem_anon *control)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_SLOW_TIMEOUT_S);
	bool missing;

	do {
		for (size_t page = 0; page < control->npages; page++)
			(void)READ_ONCE(control->mem[page * control->page_size]);
		gmem_anon_moved(control);
		missing = gmem_pfn_among(0, control->pfns, control->npages);
	} while (missing && gmem_deadline_poll(&deadline));
	if (missing)
		gmem_broken("an anonymous page has had no pfn for %d seconds", GMEM_SLOW_TIMEOUT_S);
}
