/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Child processes, and a caller that watches them, so that a hang of any is seen.
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

/* Starts a process that calls @run with @arg and exits with 0; it does not outlive the
 * case.  BROKEN if there can be none.
 */
pid_t gmem_child_start(void (*run)(void *arg), void *arg);

/* True once @child has ended, with @status as waitpid(2) has it. */
bool gmem_child_ended(pid_t child, int *status);

/* Waits until @child has ended, and returns the status; fails the case of @clause, "stuck
 * while @doing", if that takes longer than on any machine.
 */
int gmem_child_wait(pid_t child, enum gmem_clause clause, const char *doing);

/* A descriptor for what is @fd in @child.  BROKEN if there can be none. */
int gmem_child_fd(pid_t child, int fd);

#endif /* GMEM_CHILD_H */
