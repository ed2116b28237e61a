/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bounds on waiting, to catch hangs and nothing else.
 *
 *	struct gmem_deadline deadline = gmem_deadline_in(10);
 *
 *	while (!done() && gmem_deadline_poll(&deadline))
 *		;
 */
#ifndef GMEM_DEADLINE_H
#define GMEM_DEADLINE_H

#include <stdbool.h>
#include <linux/types.h>

struct gmem_deadline {
	__u64 end_ns;		/* on CLOCK_MONOTONIC */
	unsigned int polls;	/* so far */
};

/* @seconds from now; GMEM_SCALE (1 to 1000) times that if it is set in the environment, or
 * else four times where KSFT_MACHINE_SLOW is.
 */
struct gmem_deadline gmem_deadline_in(unsigned int seconds);

/* Gives up the CPU for a moment, longer the longer it has taken already: whoever is
 * waited for may need that CPU.  False once the deadline has passed.
 */
bool gmem_deadline_poll(struct gmem_deadline *deadline);

#endif /* GMEM_DEADLINE_H */
