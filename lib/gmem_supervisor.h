/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The supervisor: a case has an outcome even if the kernel never lets go of its process.
 *
 *	gmem_busy(GMEM_C9, "punching a hole");
 *	... a call that a bug of the kernel's makes hang ...
 *	gmem_idle();
 *
 * A thread that is in a fault for ever, or waits for a lock that nobody will give back,
 * cannot be killed, and no thread beside it can leave without it.  So the case goes on in
 * a child, and its process waits for no more than the outcome.
 */
#ifndef GMEM_SUPERVISOR_H
#define GMEM_SUPERVISOR_H

#include "gmem_case.h"

/* Returns in a child that is to be the case from then on; what was the case ends with
 * the child, or without it.  Called by gmem_case_begin().
 */
void gmem_supervisor_begin(void);

/* The case's exit status is @status; it is given a moment to end by itself. */
void gmem_supervisor_end(int status);

/*
 * From now until gmem_idle() the case's first thread does what may hang: if it takes
 * longer than on any machine, the case fails of @clause, "stuck while @doing", or is
 * BROKEN if that is 0.  Not nested.  Does nothing in other threads and processes.
 */
void gmem_busy(enum gmem_clause clause, const char *doing);
void gmem_idle(void);

#endif /* GMEM_SUPERVISOR_H */
