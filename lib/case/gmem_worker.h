/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Workers: threads that do one thing over and over, against each other, and a caller
 * that does nothing but watch them, so that a hang of any of them is seen.
 *
 *	puncher = gmem_worker_start("punching holes", punch_once, arg);
 *	mover = gmem_worker_start("moving pages", move_once, arg);
 *	gmem_worker_wait(puncher, 100);
 *	gmem_worker_wait(mover, 10);
 *	gmem_worker_stop(puncher);
 *	gmem_worker_stop(mover);
 */
#ifndef GMEM_WORKER_H
#define GMEM_WORKER_H

#include <linux/types.h>

struct gmem_worker;

/* Starts a thread that calls @once with @arg until it is stopped.  @doing completes
 * "stuck while ..." and is kept.  BROKEN if there can be no thread.
 */
struct gmem_worker *gmem_worker_start(const char *doing, void (*once)(void *arg), void *arg);

/* How often @once has returned. */
u64 gmem_worker_rounds(const struct gmem_worker *worker);

/* Returns when @once has returned @rounds times since the start; fails the case (C11)
 * if that takes longer than any machine does.
 */
void gmem_worker_wait(struct gmem_worker *worker, u64 rounds);

/* Ends the thread after its present round, and frees it.  Fails the case (C11) if
 * that round never ends.  NULL is fine.
 */
void gmem_worker_stop(struct gmem_worker *worker);

#endif /* GMEM_WORKER_H */
