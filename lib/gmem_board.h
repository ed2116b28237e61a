/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The board: what guest and host share.  It says what the guest has to do, and what each
 * page must hold, and lives outside the memory under test.
 *
 * gmem_guest.h has the vCPU that works by it; tests need no more than that.
 */
#ifndef GMEM_BOARD_H
#define GMEM_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "gmem_pattern.h"

struct gmem_region;

struct gmem_board {
	__u64 gva;
	__u64 first, count;	/* the pages that work is done on */
	__u64 words;		/* per page */
	__u64 step;		/* of them, every how many */
	__u64 key;
	__u32 work;		/* enum gmem_guest_work */
	__u32 stop;
	__u64 progress;		/* pages handled */
	__u64 passed;		/* every page was handled since work was set */
	__u32 mismatched;
	struct gmem_mismatch bad;
	__u16 generation[];	/* what each page holds */
};

/* Gives the guest of @region a board, which goes with the VM, and returns the host's view
 * of it: nothing to do, and no page was ever written.
 */
struct gmem_board *gmem_board_create(struct gmem_region *region);

/* Writes the next generation of some pages from the host, and notes it. */
void gmem_board_write_on_host(struct gmem_board *board, struct gmem_region *region, size_t first,
			      size_t count);

/* As __gmem_guest_seen_on_host(), at @va. */
bool __gmem_board_seen(struct gmem_board *board, const __u64 *va, size_t page, __u16 generation,
		       bool zeros, struct gmem_mismatch *bad);

/* True if @page, at @va, holds what it must, while nobody writes; if not, *bad is the first
 * wrong word.
 */
bool __gmem_board_check(const struct gmem_board *board, const void *va, size_t page,
			struct gmem_mismatch *bad);

#endif /* GMEM_BOARD_H */
