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

/* Pages at a time: as long as it takes them, each of them is locked. */
#define CHUNK	32
/* How often to go through the region, and how often at most. */
#define PASSES	2
#define MOST	80

struct gmem_mover {
	struct gmem_worker *worker;
	struct gmem_region *region;
	size_t first, count;	/* the pages that are counted */
	u64 *pfns;		/* of the region; only theirs are known */
	u64 chunks;		/* moved, or not, so far */
	u64 moved;
};

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
	struct gmem_mover *mover = gmem_zalloc(1, sizeof(*mover));

	mover->region = region;
	mover->first = first;
	mover->count = count;
	mover->pfns = gmem_zalloc(region->npages, sizeof(*mover->pfns));
	for (size_t page = first; page < first + count; page += CHUNK)
		count_moved(mover, page, CHUNK);
	mover->worker = gmem_worker_start("moving pages", move, mover);
	return mover;
}

void gmem_mover_wait(struct gmem_mover *mover)
{
	u64 pass = mover->region->npages / CHUNK, enough = READ_ONCE(mover->moved) + CHUNK;
	u64 chunks = gmem_worker_rounds(mover->worker) + (PASSES - 1) * pass;

	for (int i = PASSES; i < MOST; i++) {
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
		gmem_broken("no page moved in %lu attempts on %d", mover->chunks, CHUNK);
	free(mover->pfns);
	free(mover);
	return moved;
}
