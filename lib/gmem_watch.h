/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The old-frame watch: is a frame that memory has left still written by whoever had
 * it?
 *
 *	watch = gmem_watch_create();
 *	... pages leave @left, on @node ...
 *	watched = gmem_watch_take(watch, node, left, count);
 *	... the guest writes every page ...
 *	gmem_watch_check(watch);		fails the case if a frame was written
 *	gmem_watch_release(watch);
 *	gmem_watch_free(watch);
 *
 * Ordinary memory takes the frames, and a pattern is written to them.  What a CPU
 * frees last it gives out first, so they are had at once if the CPU that took them
 * away asks for them; pagemap tells which ones they are.
 *
 * It proves itself before its first answer in a case: a word that /proc/self/mem
 * writes to a watched frame, through no mapping of ours, must be seen, and nothing
 * else; if not, the case is BROKEN.
 */
#ifndef GMEM_WATCH_H
#define GMEM_WATCH_H

#include <stddef.h>
#include <linux/types.h>

struct gmem_watch;

struct gmem_watch *gmem_watch_create(void);

/* NULL is fine. */
void gmem_watch_free(struct gmem_watch *watch);

/* Takes those of the @count @frames on @node that are free, and are had for a few
 * MiB of memory.  Returns how many; they are watched from then on.
 */
size_t gmem_watch_take(struct gmem_watch *watch, int node, const __u64 *frames, size_t count);

/* Fails the case (C2) if a watched frame was written, and BROKEN if one is not ours
 * any more.
 */
void gmem_watch_check(struct gmem_watch *watch);

/* Gives all frames back. */
void gmem_watch_release(struct gmem_watch *watch);

#endif /* GMEM_WATCH_H */
