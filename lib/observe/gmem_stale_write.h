/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The stale-write detector: does anybody still write to a page frame that a region's page has
 * left, through a mapping that should be gone?
 *
 *	detector = gmem_stale_write_create();
 *	... pages leave the pfns @left, which are on @node ...
 *	watched = gmem_stale_write_take(detector, node, left, count);
 *	... the guest writes every page ...
 *	gmem_stale_write_check(detector);	fails the case if a frame was written
 *	gmem_stale_write_release(detector);
 *	gmem_stale_write_free(detector);
 *
 * Anonymous memory of the case takes the frames, and a pattern is written to them.  A CPU
 * hands out first what it freed last, so the frames are quickly found if they are asked for on
 * the CPU that moved the pages away; pagemap tells which of them were found.
 *
 * The detector proves itself when it is created: it has to see a word that is written by way
 * of /proc/self/mem, which uses no mapping of this process, and nothing else.  If it does not,
 * the case is BROKEN.
 */
#ifndef GMEM_STALE_WRITE_H
#define GMEM_STALE_WRITE_H

#include <stddef.h>
#include <linux/types.h>

#include "case/gmem_result.h"

struct gmem_stale_write;

/* Creates a detector that watches nothing yet, and lets it prove itself. */
struct gmem_stale_write *gmem_stale_write_create(void);

/* Frees @detector, which may be NULL, and what it has taken. */
void gmem_stale_write_free(struct gmem_stale_write *detector);

/*
 * Takes those of the @count @pfns on @node that are free and that the kernel gives to an
 * allocation of a few MiB.  Returns how many it got, up to 64; they are watched from then on.
 * What was watched before is given back first.
 */
size_t gmem_stale_write_take(struct gmem_stale_write *detector, int node, const u64 *pfns,
			     size_t count);

/*
 * Fails the case (C2) if a watched frame was written.  The case is BROKEN if the detector has
 * lost one of them.
 */
#define gmem_stale_write_check(detector) gmem_stale_write_check_at(GMEM_HERE, detector)
void gmem_stale_write_check_at(const struct gmem_location *at, struct gmem_stale_write *detector);

/* Gives all frames back to the kernel. */
void gmem_stale_write_release(struct gmem_stale_write *detector);

#endif /* GMEM_STALE_WRITE_H */
