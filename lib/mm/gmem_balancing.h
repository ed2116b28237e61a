/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * NUMA balancing, made to happen: a thread of this process reads memory from a CPU
 * of another node than the memory's until the kernel has taken note.
 */
#ifndef GMEM_BALANCING_H
#define GMEM_BALANCING_H

#include "case/gmem_result.h"

/* GMEM_SKIP_none if there is NUMA balancing, a second node with CPUs, and the knobs
 * in debugfs that make it scan often.
 */
enum gmem_skip_reason gmem_balancing_missing(void);

/* Has NUMA balancing, once it is on, scan often, until the case ends (debugfs).  To be
 * called before the process's first thread, which is when the kernel adopts the delay.
 */
void gmem_balancing_hurry(void);

/*
 * Switches NUMA balancing on until the case ends (numa_balancing in /proc/sys/kernel).
 * Calls @touch with @arg over and over from a CPU of @node, until the kernel has
 * scanned this process's address space @scans times from beginning to end and
 * @done, called with @arg by the caller's thread, says so.  BROKEN if it never does.
 */
void gmem_balancing_run(int node, unsigned int scans, void (*touch)(void *arg),
			bool (*done)(void *arg), void *arg);

#endif /* GMEM_BALANCING_H */
