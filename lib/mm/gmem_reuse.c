// SPDX-License-Identifier: GPL-2.0-only
/* Another owner for frames that a region has left. */
#include <sched.h>
#include <unistd.h>
#include <linux/bits.h>
#include <sys/mman.h>

#include "kselftest.h"

#include "case/gmem_result.h"
#include "mm/gmem_anon.h"
#include "mm/gmem_numa.h"
#include "mm/gmem_pagemap.h"
#include "mm/gmem_reuse.h"
#include "mm/gmem_watermark.h"

/* Of the node's free memory: what is left alone, which is more than the kernel's lowered
 * reserve, lest it call the OOM killer, and the most that is taken in huge pages.
 */
#define MARGIN	BIT(24)
#define MOST	BIT(30)
/* Pages taken at a time: small ones by each CPU first, then by any, and then huge ones. */
#define SMALL	4096
#define STEP	16384

/* How many of the owner's pages [@first, @first + @npages) have one of @pfns. */
static size_t count_among(const struct gmem_anon *owner, size_t first, size_t npages,
			  const u64 *pfns, size_t count)
{
	u64 low = -1ULL, high = 0;
	size_t found = 0;

	/* Nearly all of memory is elsewhere. */
	for (size_t i = 0; i < count; i++) {
		low = pfns[i] < low ? pfns[i] : low;
		high = pfns[i] > high ? pfns[i] : high;
	}
	for (size_t page = first; page < first + npages; page++)
		if (owner->pfns[page] >= low && owner->pfns[page] <= high)
			found += gmem_pfn_among(owner->pfns[page], pfns, count);
	return found;
}

/*
 * As much as may be taken, of which @small pages are not huge: the kernel clears every
 * page, and huge ones fast; but they leave alone what is free in smaller pieces.
 */
static struct gmem_anon *create_owner(size_t small)
{
	size_t page_size = getpagesize();
	struct gmem_anon *owner = gmem_anon_create(small + MOST / page_size);

	madvise(owner->mem + small * page_size, MOST, MADV_HUGEPAGE);
	return owner;
}

/* Pages that the owner may still take: memory may have come free since the last time. */
static size_t room(const struct gmem_anon *owner, size_t taken)
{
	size_t free = gmem_numa_free(gmem_numa_node(0));
	size_t npages = free < MARGIN ? 0 : (free - MARGIN) / owner->page_size;

	return npages < owner->npages - taken ? npages : owner->npages - taken;
}

/* Takes up to @npages more from page *@taken on, and returns how many of @pfns they are. */
static size_t take(struct gmem_anon *owner, size_t *taken, size_t npages,
		   const u64 *pfns, size_t count)
{
	size_t first = *taken, most = room(owner, first);

	if (npages > most)
		npages = most;
	*taken += npages;
	gmem_anon_touch(owner, first, npages);
	gmem_pagemap_read(owner->mem + first * owner->page_size, npages,
			       owner->page_size, owner->pfns + first);
	return count_among(owner, first, npages, pfns, count);
}

static void run_on(const cpu_set_t *cpus)
{
	if (sched_setaffinity(0, sizeof(*cpus), cpus))
		gmem_broken("sched_setaffinity: %m");
}

/*
 * What a CPU frees is on its own list at first, which gives out small pages, to that CPU
 * alone: and the trigger may have run on any.
 */
static size_t take_on_each_cpu(struct gmem_anon *owner, const cpu_set_t *cpus,
			       size_t *taken, const u64 *pfns, size_t count)
{
	size_t reused = 0;
	cpu_set_t one;

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, cpus))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		run_on(&one);
		reused += take(owner, taken, SMALL, pfns, count);
	}
	run_on(cpus);
	return reused;
}

size_t gmem_reuse_pfns(const u64 *pfns, size_t count)
{
	static struct gmem_anon *owner;
	size_t taken = 0, reused;
	cpu_set_t cpus;

	if (sched_getaffinity(0, sizeof(cpus), &cpus))
		gmem_broken("sched_getaffinity: %m");
	gmem_watermark_lower();
	gmem_anon_free(owner);
	owner = create_owner(CPU_COUNT(&cpus) * SMALL + STEP);
	gmem_numa_bind(gmem_numa_node(0));
	reused = take_on_each_cpu(owner, &cpus, &taken, pfns, count);
	/* Some pages may be free where nobody looks; most of them are worth going on for. */
	while (reused < count / 4 * 3 && room(owner, taken))
		reused += take(owner, &taken, STEP, pfns, count);
	gmem_numa_bind(-1);
	return reused;
}
