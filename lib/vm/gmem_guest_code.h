/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest code: what the vCPU of a region executes, and the memory that it shares with the
 * host.  That memory says what the guest has to do, and which generation each page must
 * hold.  It lies outside the memory under test.
 *
 * Tests use gmem_guest.h instead, which has the vCPU's thread.
 */
#ifndef GMEM_GUEST_CODE_H
#define GMEM_GUEST_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "vm/gmem_pattern.h"

struct gmem_region;

/* What the guest does with each page. */
enum gmem_guest_work {
	GMEM_GUEST_READ,	/* checks every word, over and over */
	GMEM_GUEST_WRITE,	/* checks every word, then writes the next generation */
	GMEM_GUEST_OVERWRITE,	/* writes the next generation, whatever is there */
	GMEM_GUEST_CHECK,	/* checks every page once, then pauses */
};

struct gmem_guest_shared {
	u64 gva;		/* of page 0 */
	u64 first, count;	/* work is done on pages [first, first + count) */
	u64 words;		/* in a page */
	u64 step;		/* every step-th word of a page has a stamp */
	u64 key;		/* of the stamps */
	u32 work;		/* enum gmem_guest_work */
	u32 stop;		/* the host asks the guest to pause */
	u64 progress;		/* pages handled */
	u64 passed;		/* every page was handled since work was set */
	u32 mismatched;		/* bad is valid */
	struct gmem_mismatch bad;
	u16 generation[];	/* that each page holds */
};

/*
 * Gives the vCPU of @region its code, and the guest the memory that it shares with the host, which
 * is freed with the VM.  Returns the host's mapping of that memory, in which the guest has no
 * work yet and every page is of generation 0.
 */
struct gmem_guest_shared *gmem_guest_shared_create(struct gmem_region *region);

/*
 * Writes the next generation of pages [@first, @first + @count) from the host, and notes it in
 * @shared.
 */
void gmem_guest_shared_write_on_host(struct gmem_guest_shared *shared,
				     struct gmem_region *region, size_t first, size_t count);

/* Does what __gmem_guest_seen_on_host() does, for @page at the host's address @va. */
bool __gmem_guest_shared_seen(struct gmem_guest_shared *shared, const u64 *va, size_t page,
			      u16 generation, bool zeros, struct gmem_mismatch *bad);

/*
 * Whether @page, at the host's address @va, holds the generation that it must hold.  Nobody may
 * write to it meanwhile.  If it does not, *bad is the first wrong word.
 */
bool __gmem_guest_shared_check(const struct gmem_guest_shared *shared, const void *va,
			       size_t page, struct gmem_mismatch *bad);

#endif /* GMEM_GUEST_CODE_H */
