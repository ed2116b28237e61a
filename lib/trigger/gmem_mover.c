// SPDX-License-Identifier: GPL-2.0-only
/* The mover: a worker that sends a region's pages to the other node and back. */
#include <stdlib.h>
#include <string.h>
#include <linux/compiler.h>

#include "case/gmem_alloc.h"
#include "case/gmem_result.h"
#include "case/gmem_worker.h"
#include "mm/gmem_numa.h"
#include "mm/gmem_pagemap.h"
#include "trigger/gmem_mover.h"
#include "vm/gmem_region.h"

/* Pages that are moved at a time; all of them are locked until each of them has moved. */
#define CHUNK		32
/* The mover goes through the region twice, to the other node and back, or more often. */
#define MIN_PASSES	2
#define MAX_PASSES	80

struct gmem_mover {
	struct gmem_worker *worker;
	struct gmem_region *region;
	size_t first, count;	/* the pages whose moves are counted */
	u64 *pfns;		/* by page of the region; only those of counted pages are set */
	u64 chunks;		/* so far, whether or not they moved */
	u64 moved;		/* pages, so far */
};

/* Reads the pfns of the @count pages from @first on, and returns how many have changed. */
static size_t count_moved(struct gmem_mover *mover, size_t first, size_t count)
{
	struct gmem_region *region = mover->region;
	u64 before[CHUNK];
	size_t moved = 0;

	memcpy(before, mover->pfns + first, sizeof(before));
	for (size_t page = first; page < first + count; page++)
		(void)READ_ONCE(*(char *)gmem_region_host(region, page));
	gmem_pagemap_read(gmem_region_host(region, first), count, region->page_size,
			  mover->pfns + first);
	for (size_t i = 0; i < count; i++)
		moved += mover->pfns[first + i] != before[i];
	return moved;
}

/* Moves the next chunk: to the second node in one pass, and to the first in the next. */
static void move_chunk(void *arg)
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
	struct gmem_mover *mover = gmem_zalloc(1, sizeof(*mover));

	mover->region = region;
	mover->first = first;
	mover->count = count;
	mover->pfns = gmem_zalloc(region->npages, sizeof(*mover->pfns));
	for (size_t page = first; page < first + count; page += CHUNK)
		count_moved(mover, page, CHUNK);
	mover->worker = gmem_worker_start("moving pages", move_chunk, mover);
	return mover;
}

void gmem_mover_wait(struct gmem_mover *mover)
{
	u64 pass = mover->region->npages / CHUNK, enough = READ_ONCE(mover->moved) + CHUNK;
	u64 chunks = gmem_worker_rounds(mover->worker) + (MIN_PASSES - 1) * pass;

	for (int i = MIN_PASSES; i < MAX_PASSES; i++) {
		gmem_worker_wait(mover->worker, chunks += pass);
		if (READ_ONCE(mover->moved) >= enough)
			break;
	}
}

u64 gmem_mover_stop(struct gmem_mover *mover)
{
	u64 moved;

	gmem_worker_stop(mover->worker);
	moved = mover->moved;
	if (!moved)
		gmem_broken("no page moved in %lu attempts on %d pages", mover->chunks, CHUNK);
	free(mover->pfns);
	free(mover);
	return moved;
}
