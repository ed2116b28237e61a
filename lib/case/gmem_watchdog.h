/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The watchdog: a case has an outcome even if the kernel never lets go of its process.
 *
 *	gmem_watchdog_arm(GMEM_LIVENESS, "punching a hole");
 *	... a call that a bug of the kernel makes hang ...
 *	gmem_watchdog_disarm();
 *
 * A thread that is in a page fault for ever, or waits for a lock that nobody releases,
 * cannot be killed, and its process does not end without it.  The case therefore runs in a
 * child, and its parent waits for the outcome only.
 */
#ifndef GMEM_WATCHDOG_H
#define GMEM_WATCHDOG_H

#include "case/gmem_result.h"

/*
 * Forks, and returns in the child, which runs the test.  The parent waits, and exits with
 * the case's status even if the child cannot be killed.  gmem_case_begin() calls this.
 */
void gmem_watchdog_begin(void);

/*
 * Says that the case's first thread does something that may hang, until gmem_watchdog_disarm().
 * If that takes longer than GMEM_TIMEOUT_S, the case fails (@clause) with "stuck while @doing",
 * or is BROKEN if @clause is GMEM_NO_CLAUSE.  The report has the location where the watchdog was
 * armed.  Calls do not nest, and other threads and processes are not watched.
 */
#define gmem_watchdog_arm(clause, doing) gmem_watchdog_arm_at(GMEM_HERE, clause, doing)
void gmem_watchdog_arm_at(const struct gmem_location *at, enum gmem_clause clause,
			  const char *doing);
void gmem_watchdog_disarm(void);

#endif /* GMEM_WATCHDOG_H */
