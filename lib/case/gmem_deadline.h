/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Deadlines, which bound waiting.  They are long, because they only have to catch hangs.
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

/* Seconds that suffice for what takes milliseconds on any machine. */
#define GMEM_TIMEOUT_S		15
/* Seconds that suffice for what has to wait until a kernel thread or a vCPU is scheduled. */
#define GMEM_SLOW_TIMEOUT_S	30

struct gmem_deadline {
	u64 end_ns;		/* on CLOCK_MONOTONIC */
	unsigned int polls;	/* how often gmem_deadline_poll() was called */
};

/*
 * Returns a deadline @seconds from now.  The environment stretches it: by the factor GMEM_SCALE
 * (1 to 1000) if that is set, and else by 4 if KSFT_MACHINE_SLOW is set.  The case is BROKEN if
 * GMEM_SCALE is anything else.
 */
struct gmem_deadline gmem_deadline_in(unsigned int seconds);

/*
 * Sleeps for 50 to 1600 us, longer the more often it was called, because whoever the caller
 * waits for may need its CPU.  Returns false once the deadline has passed.
 */
bool gmem_deadline_poll(struct gmem_deadline *deadline);

#endif /* GMEM_DEADLINE_H */
