// SPDX-License-Identifier: GPL-2.0-only
/* The old-frame watch: is a frame that memory has left still written? */
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>
#include <linux/sizes.h>

#include "gmem_case.h"
#include "gmem_control.h"
#include "gmem_frame.h"
#include "gmem_numa.h"
#include "gmem_pattern.h"
#include "gmem_watch.h"

/* The most memory that is taken, and pages at a time. */
#define MOST	SZ_8M
#define TURN	16
#define FRAMES	64

/* Of the pattern's stamps: no region has so many pages. */
#define PAGE	BIT(31)

struct gmem_watch {
	struct gmem_control *taken;
	size_t page[FRAMES];	/* of what was taken: those that have a frame to watch */
	size_t count;
	__u64 key;
};

static char *address(const struct gmem_watch *watch, size_t nth)
{
	return watch->taken->mem + watch->page[nth] * watch->taken->page_size;
}

static void fill(struct gmem_watch *watch, size_t nth)
{
	gmem_page_stamp((__u64 *)address(watch, nth), watch->taken->page_size / sizeof(__u64),
			GMEM_EVERY_WORD, watch->key, PAGE + nth, 1);
}

/* True if the nth frame is as it was filled. */
static bool is_untouched(struct gmem_watch *watch, size_t nth, struct gmem_mismatch *bad)
{
	return gmem_page_check((__u64 *)address(watch, nth),
			       watch->taken->page_size / sizeof(__u64), GMEM_EVERY_WORD,
			       watch->key, PAGE + nth, 1, bad);
}

/* The kernel writes to the frame by a mapping of its own. */
static void write_behind(void *addr, __u64 value)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);

	if (fd < 0 || pwrite(fd, &value, sizeof(value), (unsigned long)addr) != sizeof(value))
		gmem_broken("/proc/self/mem: %m");
	close(fd);
}

/* With a page whose frame nobody else had of late. */
static void prove(struct gmem_watch *watch)
{
	__u64 word = watch->taken->page_size / sizeof(__u64) / 2;
	struct gmem_mismatch bad;

	gmem_control_touch(watch->taken, 0, 1);
	fill(watch, 0);
	if (!is_untouched(watch, 0, &bad))
		gmem_broken("frame watch: saw a write to word %llu that nobody did", bad.word);
	write_behind(address(watch, 0) + word * sizeof(__u64), ~watch->key);
	if (is_untouched(watch, 0, &bad) || bad.word != word || bad.got != ~watch->key)
		gmem_broken("frame watch: did not see a write to word %llu", word);
	gmem_watch_release(watch);
}

struct gmem_watch *gmem_watch_create(void)
{
	struct gmem_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		gmem_broken("out of memory");
	watch->taken = gmem_control_create(MOST / getpagesize());
	watch->key = gmem_pattern_key(gmem_seed());
	prove(watch);
	return watch;
}

void gmem_watch_free(struct gmem_watch *watch)
{
	if (!watch)
		return;
	gmem_control_free(watch->taken);
	free(watch);
}

/* Takes TURN more pages, and notes which of them have a frame to watch. */
static void take(struct gmem_watch *watch, size_t first, const __u64 *frames, size_t count)
{
	struct gmem_control *taken = watch->taken;

	gmem_control_touch(taken, first, TURN);
	gmem_frame_read_mapped(taken->mem + first * taken->page_size, TURN, taken->page_size,
			       taken->frames + first);
	for (size_t page = first; page < first + TURN && watch->count < FRAMES; page++)
		if (gmem_frame_among(taken->frames[page], frames, count)) {
			watch->page[watch->count] = page;
			fill(watch, watch->count++);
		}
}

size_t gmem_watch_take(struct gmem_watch *watch, int node, const __u64 *frames, size_t count)
{
	gmem_watch_release(watch);
	gmem_numa_bind(node);
	for (size_t page = 0; page + TURN <= watch->taken->npages && watch->count < count;
	     page += TURN)
		take(watch, page, frames, count);
	gmem_numa_bind(-1);
	return watch->count;
}

/* A word that the guest wrote says so; any other is somebody's. */
static void fail(const struct gmem_watch *watch, size_t nth, const struct gmem_mismatch *bad)
{
	__u64 stamp = bad->got ^ watch->key, page = stamp >> 16 & (PAGE - 1);

	if (gmem_stamp(watch->key, page, bad->word, stamp >> 48) == bad->got)
		gmem_fail(GMEM_C2,
			  "frame %#llx: want %#llx in word %llu of its next owner, got %#llx, which the guest wrote to page %llu",
			  watch->taken->frames[watch->page[nth]], bad->want, bad->word, bad->got,
			  page);
	gmem_fail(GMEM_C2, "frame %#llx: want %#llx in word %llu of its next owner, got %#llx",
		  watch->taken->frames[watch->page[nth]], bad->want, bad->word, bad->got);
}

void gmem_watch_check(struct gmem_watch *watch)
{
	struct gmem_mismatch bad;

	for (size_t nth = 0; nth < watch->count; nth++) {
		__u64 had = watch->taken->frames[watch->page[nth]], frame;

		gmem_frame_read_mapped(address(watch, nth), 1, watch->taken->page_size, &frame);
		if (frame != had)
			gmem_broken("frame watch: lost frame %#llx, has %#llx", had, frame);
		if (!is_untouched(watch, nth, &bad))
			fail(watch, nth, &bad);
	}
}

void gmem_watch_release(struct gmem_watch *watch)
{
	gmem_control_discard(watch->taken, 0, watch->taken->npages);
	watch->count = 0;
}
