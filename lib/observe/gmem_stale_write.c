// SPDX-License-Identifier: GPL-2.0-only
/* The old-frame watch: is a frame that memory has left still written? */
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>
#include <linux/sizes.h>

#include "case/gmem_alloc.h"
#include "case/gmem_result.h"
#include "mm/gmem_anon.h"
#include "mm/gmem_numa.h"
#include "mm/gmem_pagemap.h"
#include "observe/gmem_stale_write.h"
#include "vm/gmem_pattern.h"

/* The most memory that is taken, and pages at a time. */
#define MOST	SZ_8M
#define TURN	16
#define FRAMES	64

/* Of the pattern's stamps: no region has so many pages. */
#define PAGE	BIT(31)

struct gmem_stale_write {
	struct gmem_anon *taken;
	size_t page[FRAMES];	/* of what was taken: those that have a frame to watch */
	size_t count;
	u64 key;
};

static char *address(const struct gmem_stale_write *watch, size_t nth)
{
	return watch->taken->mem + watch->page[nth] * watch->taken->page_size;
}

static void fill(struct gmem_stale_write *watch, size_t nth)
{
	gmem_stamp_page((u64 *)address(watch, nth), watch->taken->page_size / sizeof(u64),
			GMEM_EVERY_WORD, watch->key, PAGE + nth, 1);
}

/* True if the nth frame is as it was filled. */
static bool is_untouched(struct gmem_stale_write *watch, size_t nth, struct gmem_mismatch *bad)
{
	return gmem_check_page((u64 *)address(watch, nth),
			       watch->taken->page_size / sizeof(u64), GMEM_EVERY_WORD,
			       watch->key, PAGE + nth, 1, bad);
}

/* The kernel writes to the frame by a mapping of its own. */
static void write_behind(void *addr, u64 value)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);

	if (fd < 0 || pwrite(fd, &value, sizeof(value), (unsigned long)addr) != sizeof(value))
		gmem_broken("/proc/self/mem: %m");
	close(fd);
}

/* With a page whose frame nobody else had of late. */
static void prove(struct gmem_stale_write *watch)
{
	u64 word = watch->taken->page_size / sizeof(u64) / 2;
	struct gmem_mismatch bad;

	gmem_anon_touch(watch->taken, 0, 1);
	fill(watch, 0);
	if (!is_untouched(watch, 0, &bad))
		gmem_broken("frame watch: saw a write to word %lu that nobody did", bad.word);
	write_behind(address(watch, 0) + word * sizeof(u64), ~watch->key);
	if (is_untouched(watch, 0, &bad) || bad.word != word || bad.got != ~watch->key)
		gmem_broken("frame watch: did not see a write to word %lu", word);
	gmem_stale_write_release(watch);
}

struct gmem_stale_write *gmem_stale_write_create(void)
{
	struct gmem_stale_write *watch = gmem_zalloc(1, sizeof(*watch));

	watch->taken = gmem_anon_create(MOST / getpagesize());
	watch->key = gmem_pattern_key(gmem_seed());
	prove(watch);
	return watch;
}

void gmem_stale_write_free(struct gmem_stale_write *watch)
{
	if (!watch)
		return;
	gmem_anon_free(watch->taken);
	free(watch);
}

/* Takes TURN more pages, and notes which of them have a frame to watch. */
static void take(struct gmem_stale_write *watch, size_t first, const u64 *pfns, size_t count)
{
	struct gmem_anon *taken = watch->taken;

	gmem_anon_touch(taken, first, TURN);
	gmem_pagemap_read(taken->mem + first * taken->page_size, TURN, taken->page_size,
			       taken->pfns + first);
	for (size_t page = first; page < first + TURN && watch->count < FRAMES; page++)
		if (gmem_pfn_among(taken->pfns[page], pfns, count)) {
			watch->page[watch->count] = page;
			fill(watch, watch->count++);
		}
}

size_t gmem_stale_write_take(struct gmem_stale_write *watch, int node, const u64 *pfns, size_t count)
{
	gmem_stale_write_release(watch);
	gmem_numa_bind(node);
	for (size_t page = 0; page + TURN <= watch->taken->npages && watch->count < count;
	     page += TURN)
		take(watch, page, pfns, count);
	gmem_numa_bind(-1);
	return watch->count;
}

/* A word that the guest wrote says so; any other is somebody's. */
static void fail(const struct gmem_stale_write *watch, size_t nth, const struct gmem_mismatch *bad)
{
	u64 stamp = bad->got ^ watch->key, page = stamp >> 16 & (PAGE - 1);

	if (gmem_stamp(watch->key, page, bad->word, stamp >> 48) == bad->got)
		gmem_fail(GMEM_STAGE2,
			  "frame %#lx: want %#lx in word %lu of its next owner, got %#lx, which the guest wrote to page %lu",
			  watch->taken->pfns[watch->page[nth]], bad->want, bad->word, bad->got,
			  page);
	gmem_fail(GMEM_STAGE2, "frame %#lx: want %#lx in word %lu of its next owner, got %#lx",
		  watch->taken->pfns[watch->page[nth]], bad->want, bad->word, bad->got);
}

void gmem_stale_write_check(struct gmem_stale_write *watch)
{
	struct gmem_mismatch bad;

	for (size_t nth = 0; nth < watch->count; nth++) {
		u64 had = watch->taken->pfns[watch->page[nth]], pfn;

		gmem_pagemap_read(address(watch, nth), 1, watch->taken->page_size, &pfn);
		if (pfn != had)
			gmem_broken("frame watch: lost frame %#lx, has %#lx", had, pfn);
		if (!is_untouched(watch, nth, &bad))
			fail(watch, nth, &bad);
	}
}

void gmem_stale_write_release(struct gmem_stale_write *watch)
{
	gmem_anon_discard(watch->taken, 0, watch->taken->npages);
	watch->count = 0;
}
