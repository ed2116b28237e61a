/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Workers: threads that each repeat one thing, to race with each other.  Their caller only waits
 * for them, with a deadline, so that a worker that hangs fails the case.
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

#include "case/gmem_result.h"

struct gmem_worker;

/*
 * Starts a thread that calls @once with @arg again and again until gmem_worker_stop().  @doing
 * completes "stuck while ..." and has to live as long as the worker.  The case is BROKEN if
 * pthread_create(3) fails.
 */
struct gmem_worker *gmem_worker_start(const char *doing, void (*once)(void *arg), void *arg);

/* Returns how often @once has returned. */
u64 gmem_worker_rounds(const struct gmem_worker *worker);

/*
 * Waits until @once has returned @rounds times since the start.  Fails the case (C11) after
 * GMEM_TIMEOUT_S.
 */
#define gmem_worker_wait(worker, rounds) gmem_worker_wait_at(GMEM_HERE, worker, rounds)
void gmem_worker_wait_at(const struct gmem_location *at, struct gmem_worker *worker, u64 rounds);

/*
 * Ends the thread after its present round, and frees @worker, which may be NULL.  Fails the case
 * (C11) if that round takes longer than GMEM_TIMEOUT_S.
 */
#define gmem_worker_stop(worker) gmem_worker_stop_at(GMEM_HERE, worker)
void gmem_worker_stop_at(const struct gmem_location *at, struct gmem_worker *worker);

#endif /* GMEM_WORKER_H */
