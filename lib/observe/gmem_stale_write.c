// SPDX-License-Identifier: GPL-2.0-only
/* The stale-write detector: does anybody write to a page frame that a page has left? */
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>
#include <linux/bits.h>
#include <linux/sizes.h>

#include "case/gmem_alloc.h"
#include "case/gmem_result.h"
#include "mm/gmem_anon.h"
#include "mm/gmem_numa.h"
#include "mm/gmem_pagemap.h"
#include "observe/gmem_stale_write.h"
#include "vm/gmem_pattern.h"

/* The anonymous memory that is allocated at most, and how many pages of it at a time. */
#define MAX_BYTES	SZ_8M
#define BATCH		16
/* The frames that are watched at most. */
#define MAX_WATCHED	64

/* The pattern's stamps count pages from here on, a number that no page of a region has. */
#define FIRST_PAGE	BIT(31)

struct gmem_stale_write {
	struct gmem_anon *taken;
	size_t page[MAX_WATCHED];	/* the pages of @taken whose frames are watched */
	size_t count;
	u64 key;			/* of the pattern */
};

static char *address(const struct gmem_stale_write *detector, size_t nth)
{
	return detector->taken->mem + detector->page[nth] * detector->taken->page_size;
}

static void write_pattern(struct gmem_stale_write *detector, size_t nth)
{
	gmem_stamp_page((u64 *)address(detector, nth), detector->taken->page_size / sizeof(u64),
			GMEM_EVERY_WORD, detector->key, FIRST_PAGE + nth, 1);
}

/* Whether the @nth watched frame still holds its pattern. */
static bool is_untouched(struct gmem_stale_write *detector, size_t nth, struct gmem_mismatch *bad)
{
	return gmem_check_page((u64 *)address(detector, nth),
			       detector->taken->page_size / sizeof(u64), GMEM_EVERY_WORD,
			       detector->key, FIRST_PAGE + nth, 1, bad);
}

/* Has the kernel write to the frame through a mapping of its own. */
static void write_by_kernel(void *addr, u64 value)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);

	if (fd < 0 || pwrite(fd, &value, sizeof(value), (unsigned long)addr) != sizeof(value))
		gmem_broken("/proc/self/mem: %m");
	close(fd);
}

/* Uses a page whose frame was not taken from a region, so that nobody else writes to it. */
static void prove(struct gmem_stale_write *detector)
{
	u64 word = detector->taken->page_size / sizeof(u64) / 2;
	struct gmem_mismatch bad;

	gmem_anon_touch(detector->taken, 0, 1);
	write_pattern(detector, 0);
	if (!is_untouched(detector, 0, &bad))
		gmem_broken("stale-write detector: saw a write to word %lu, wanted none", bad.word);
	write_by_kernel(address(detector, 0) + word * sizeof(u64), ~detector->key);
	if (is_untouched(detector, 0, &bad) || bad.word != word || bad.got != ~detector->key)
		gmem_broken("stale-write detector: wanted to see the write to word %lu, did not",
			    word);
	gmem_stale_write_release(detector);
}

struct gmem_stale_write *gmem_stale_write_create(void)
{
	struct gmem_stale_write *detector = gmem_zalloc(1, sizeof(*detector));

	detector->taken = gmem_anon_create(MAX_BYTES / getpagesize());
	detector->key = gmem_pattern_key(gmem_seed());
	prove(detector);
	return detector;
}

void gmem_stale_write_free(struct gmem_stale_write *detector)
{
	if (!detector)
		return;
	gmem_anon_free(detector->taken);
	free(detector);
}

/* Allocates BATCH more pages, and watches those that got one of the @pfns. */
static void take_batch(struct gmem_stale_write *detector, size_t first, const u64 *pfns,
		       size_t count)
{
	struct gmem_anon *taken = detector->taken;

	gmem_anon_touch(taken, first, BATCH);
	gmem_pagemap_read(taken->mem + first * taken->page_size, BATCH, taken->page_size,
			  taken->pfns + first);
	for (size_t page = first; page < first + BATCH && detector->count < MAX_WATCHED; page++)
		if (gmem_pfn_among(taken->pfns[page], pfns, count)) {
			detector->page[detector->count] = page;
			write_pattern(detector, detector->count++);
		}
}

size_t gmem_stale_write_take(struct gmem_stale_write *detector, int node, const u64 *pfns,
			     size_t count)
{
	gmem_stale_write_release(detector);
	gmem_numa_bind(node);
	for (size_t page = 0; page + BATCH <= detector->taken->npages && detector->count < count;
	     page += BATCH)
		take_batch(detector, page, pfns, count);
	gmem_numa_bind(-1);
	return detector->count;
}

/* Says whether the guest wrote the wrong word, which its stamp tells, or somebody else did. */
static void fail_stale_write(const struct gmem_location *at,
			     const struct gmem_stale_write *detector, size_t nth,
			     const struct gmem_mismatch *bad)
{
	u64 pfn = detector->taken->pfns[detector->page[nth]];
	u64 stamp = bad->got ^ detector->key, page = stamp >> 16 & (FIRST_PAGE - 1);

	if (gmem_stamp(detector->key, page, bad->word, stamp >> 48) == bad->got)
		gmem_fail_at(at, GMEM_STAGE2,
			     "pfn %#lx: wanted %#lx in word %lu of its next owner, got %#lx, which the guest wrote to page %lu",
			     pfn, bad->want, bad->word, bad->got, page);
	gmem_fail_at(at, GMEM_STAGE2,
		     "pfn %#lx: wanted %#lx in word %lu of its next owner, got %#lx",
		     pfn, bad->want, bad->word, bad->got);
}

void gmem_stale_write_check_at(const struct gmem_location *at, struct gmem_stale_write *detector)
{
	struct gmem_mismatch bad;

	for (size_t nth = 0; nth < detector->count; nth++) {
		u64 had = detector->taken->pfns[detector->page[nth]], pfn;

		gmem_pagemap_read(address(detector, nth), 1, detector->taken->page_size, &pfn);
		if (pfn != had)
			gmem_broken("stale-write detector: wanted to keep pfn %#lx, got %#lx", had,
				    pfn);
		if (!is_untouched(detector, nth, &bad))
			fail_stale_write(at, detector, nth, &bad);
	}
}

void gmem_stale_write_release(struct gmem_stale_write *detector)
{
	gmem_anon_discard(detector->taken, 0, detector->taken->npages);
	detector->count = 0;
}
