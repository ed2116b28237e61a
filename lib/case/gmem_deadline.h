/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bounds on waiting, to catch hangs and nothing else.
 *
 *	struct gmem_deadline deadline = gmem_deadline_in(GMEM_TIMEOUT_S);
 *
 *	while (!done() && gmem_deadline_poll(&deadline))
 *		;
 */
#ifndef GMEM_DEADLINE_H
#define GMEM_DEADLINE_H

#include <stdbool.h>
#include <linux/types.h>

/* Seconds for what takes milliseconds on any machine. */
#define GMEM_TIMEOUT_S		15
/* Seconds for what a kernel thread or a vCPU does when it gets to it. */
#define GMEM_SLOW_TIMEOUT_S	30

struct gmem_deadline {
	u64 end_ns;		/* on CLOCK_MONOTONIC */
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
