/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Provokes NUMA balancing: a thread of this process reads memory from a CPU of a node other
 * than the memory's until the kernel has noticed it.
 *
 *	gmem_skip_if(gmem_balancing_missing());
 *	gmem_balancing_hurry();
 *	gmem_balancing_run(node, 2, touch, done, arg);
 *
 * This rests on numa_balancing in /proc/sys/kernel and in debugfs' sched directory.
 */
#ifndef GMEM_BALANCING_H
#define GMEM_BALANCING_H

#include <stdbool.h>

#include "case/gmem_result.h"

/*
 * Returns GMEM_SKIP_none if the kernel has NUMA balancing, a second node with CPUs, and the
 * settings in debugfs that make it scan often.
 */
enum gmem_skip_reason gmem_balancing_missing(void);

/*
 * Makes NUMA balancing scan often once it is on, until the case ends.  It must be called
 * before the process starts its first thread, because the kernel adopts the scan delay then.
 */
void gmem_balancing_hurry(void);

/*
 * Switches NUMA balancing on until the case ends, and calls @touch(@arg) repeatedly from a
 * CPU of @node.  Returns when the kernel has scanned this process's address space @scans
 * times from beginning to end, and @done(@arg), which the caller's thread calls, is true.
 * BROKEN if that does not happen in time.
 */
void gmem_balancing_run(int node, unsigned int scans, void (*touch)(void *arg),
			bool (*done)(void *arg), void *arg);

#endif /* GMEM_BALANCING_H */
