/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Child processes whose parent waits with a deadline, so that a child that hangs fails the
 * case.
 *
 *	child = gmem_child_start(run, arg);
 *	...
 *	status = gmem_child_wait(child, GMEM_LIFECYCLE, "the owner ends");
 */
#ifndef GMEM_CHILD_H
#define GMEM_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "case/gmem_result.h"

/*
 * Forks a child that calls @run with @arg and exits with 0.  It is killed when its parent
 * ends.  The case is BROKEN if fork(2) fails.
 */
pid_t gmem_child_start(void (*run)(void *arg), void *arg);

/*
 * Whether @child has ended, which this does not wait for.  If it has, *status is what
 * waitpid(2) reports.
 */
bool gmem_child_ended(pid_t child, int *status);

/*
 * Waits until @child has ended, and returns its status as waitpid(2) reports it.  Fails the
 * case (@clause) with "stuck while @doing" after GMEM_TIMEOUT_S.
 */
#define gmem_child_wait(child, clause, doing) gmem_child_wait_at(GMEM_HERE, child, clause, doing)
int gmem_child_wait_at(const struct gmem_location *at, pid_t child, enum gmem_clause clause,
		       const char *doing);

/*
 * Returns a duplicate of descriptor @fd of @child (pidfd_getfd(2)).  The case is BROKEN if
 * that fails.
 */
int gmem_child_fd(pid_t child, int fd);

#endif /* GMEM_CHILD_H */
