/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The old-frame watch: is a frame that memory has left still written by whoever had
 * it?
 *
 *	watch = gmem_stale_write_create();
 *	... pages leave @left, on @node ...
 *	watched = gmem_stale_write_take(watch, node, left, count);
 *	... the guest writes every page ...
 *	gmem_stale_write_check(watch);		fails the case if a frame was written
 *	gmem_stale_write_release(watch);
 *	gmem_stale_write_free(watch);
 *
 * Ordinary memory takes the frames, and a pattern is written to them.  What a CPU
 * frees last it gives out first, so they are had at once if the CPU that took them
 * away asks for them; pagemap tells which ones they are.
 *
 * It proves itself before its first answer in a case: a word that /proc/self/mem
 * writes to a watched frame, through no mapping of ours, must be seen, and nothing
 * else; if not, the case is BROKEN.
 */
#ifndef GMEM_STALE_WRITE_H
#define GMEM_STALE_WRITE_H

#include <stddef.h>
#include <linux/types.h>

struct gmem_stale_write;

struct gmem_stale_write *gmem_stale_write_create(void);

/* NULL is fine. */
void gmem_stale_write_free(struct gmem_stale_write *watch);

/* Takes those of the @count @pfns on @node that are free, and are had for a few
 * MiB of memory.  Returns how many; they are watched from then on.
 */
size_t gmem_stale_write_take(struct gmem_stale_write *watch, int node, const u64 *pfns, size_t count);

/* Fails the case (C2) if a watched frame was written, and BROKEN if one is not ours
 * any more.
 */
void gmem_stale_write_check(struct gmem_stale_write *watch);

/* Gives all frames back. */
void gmem_stale_write_release(struct gmem_stale_write *watch);

#endif /* GMEM_STALE_WRITE_H */
