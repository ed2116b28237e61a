// SPDX-License-Identifier: GPL-2.0-only
/* The mover: a worker that sends a region's pages to the other node and back. */
#include <stdlib.h>
#include <string.h>
#include <linux/compiler.h>

#include "gmem_case.h"
#include "gmem_frame.h"
#include "gmem_mover.h"
#include "gmem_numa.h"
#include "gmem_region.h"
#include "gmem_worker.h"

/* Pages at a time: as long as it takes them, each of them is locked. */
#define CHUNK	32
/* How often to go through the region, and how often at most. */
#define PASSES	2
#define MOST	80

struct gmem_mover {
	struct gmem_worker *worker;
	struct gmem_region *region;
	size_t first, count;	/* the pages that are counted */
	__u64 *frames;		/* of the region; only theirs are known */
	__u64 chunks;		/* moved, or not, so far */
	__u64 moved;
};

static size_t count_moved(struct gmem_mover *mover, size_t first, size_t count)
{
	struct gmem_region *region = mover->region;
	__u64 before[CHUNK];
	size_t moved = 0;

	memcpy(before, mover->frames + first, sizeof(before));
	for (size_t page = first; page < first + count; page++)
		(void)READ_ONCE(*(char *)gmem_region_host(region, page));
	gmem_frame_read_mapped(gmem_region_host(region, first), count, region->page_size,
			       mover->frames + first);
	for (size_t i = 0; i < count; i++)
		moved += mover->frames[first + i] != before[i];
	return moved;
}

static void move(void *arg)
{
	struct gmem_mover *mover = arg;
	struct gmem_region *region = mover->region;
	size_t first = mover->chunks * CHUNK % region->npages;
	int node = gmem_numa_node(!(mover->chunks++ * CHUNK / region->npages % 2));

	gmem_numa_move(gmem_region_host(region, first), CHUNK, region->page_size, node, false);
	if (first >= mover->first && first < mover->first + mover->count)
		WRITE_ONCE(mover->moved, mover->moved + count_moved(mover, first, CHUNK));
}

struct gmem_mover *gmem_mover_start(struct gmem_region *region, size_t first, size_t count)
{
	struct gmem_mover *mover = calloc(1, sizeof(*mover));

	if (!mover)
		gmem_broken("out of memory");
	mover->region = region;
	mover->first = first;
	mover->count = count;
	mover->frames = calloc(region->npages, sizeof(*mover->frames));
	if (!mover->frames)
		gmem_broken("out of memory");
	for (size_t page = first; page < first + count; page += CHUNK)
		count_moved(mover, page, CHUNK);
	mover->worker = gmem_worker_start("moving pages", move, mover);
	return mover;
}

void gmem_mover_wait(struct gmem_mover *mover)
{
	__u64 pass = mover->region->npages / CHUNK, enough = READ_ONCE(mover->moved) + CHUNK;
	__u64 chunks = gmem_worker_rounds(mover->worker) + (PASSES - 1) * pass;

	for (int i = PASSES; i < MOST; i++) {
		gmem_worker_wait(mover->worker, chunks += pass);
		if (READ_ONCE(mover->moved) >= enough)
			break;
	}
}

__u64 gmem_mover_stop(struct gmem_mover *mover)
{
	__u64 moved;

	gmem_worker_stop(mover->worker);
	moved = mover->moved;
	if (!moved)
		gmem_broken("no page moved in %llu attempts on %d", mover->chunks, CHUNK);
	free(mover->frames);
	free(mover);
	return moved;
}
