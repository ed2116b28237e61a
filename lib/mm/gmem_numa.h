/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * NUMA nodes, through libnuma.  Nodes are the first two that have memory: ids
 * may be sparse and nodes may be empty.
 */
#ifndef GMEM_NUMA_H
#define GMEM_NUMA_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "case/gmem_result.h"

/* GMEM_SKIP_none if there are two nodes with memory and move_pages() works. */
enum gmem_skip_reason gmem_numa_missing(void);

/* The id of the first (@nth 0) or second (1) node with memory, or -1. */
int gmem_numa_node(int nth);

/* There and back: of the first two nodes with memory, the one that is not @node. */
int gmem_numa_other(int node);

/* Bytes of @node that compaction may want to move: page cache and anonymous
 * memory, from the node's meminfo in sysfs.  An estimate from above.
 */
size_t gmem_numa_movable(int node);

/* Bytes of @node that are free. */
size_t gmem_numa_free(int node);

/* From now on this thread's allocations come from @node alone (set_mempolicy);
 * -1 lifts that.
 */
void gmem_numa_bind(int node);

/* From now on this thread's allocations come from @node as long as it has memory to
 * spare, then from others: nobody is killed for want of it.  gmem_numa_bind(-1) lifts
 * that.
 */
void gmem_numa_prefer(int node);

/* move_pages(2) of the @count host pages of @page_size bytes from @addr on to
 * @node; with @all even if other processes map them too.  What became of them is
 * for the frame oracle to say.  BROKEN if the call itself is refused.
 */
void gmem_numa_move(void *addr, size_t count, size_t page_size, int node, bool all);

/*
 * The same of pages of process @pid, 0 for this one.  Returns what the call does: 0, above
 * 0 how many pages were not moved, or -errno.  @status then has the node of each page, or
 * a -errno, as far as the call says.
 */
int __gmem_numa_move(pid_t pid, void *addr, size_t count, size_t page_size, int node, bool all,
		     int *status);

/* mbind(2) of the @size bytes from @addr on to @node alone, with MPOL_MF_MOVE.
 * BROKEN if the call itself is refused.
 */
void gmem_numa_mbind(void *addr, size_t size, int node);

/* The same, with MPOL_MF_STRICT if @strict.  Returns 0 or -errno: -EIO if it is strict and
 * pages are elsewhere.
 */
int __gmem_numa_mbind(void *addr, size_t size, int node, bool strict);

/* Has CPUs hand over what waits on them for its LRU list, and cannot be isolated there:
 * mbind(2) with MPOL_MF_MOVE does that for all of them.
 */
void gmem_numa_drain(void);

/* mbind(2) of the @size bytes from @addr on to the first two nodes, between which
 * NUMA balancing may choose (MPOL_F_NUMA_BALANCING).  BROKEN if that is refused.
 */
void gmem_numa_balance(void *addr, size_t size);

/* From now on this thread runs on CPUs of @node alone.  BROKEN if that is refused. */
void gmem_numa_run_on(int node);

bool gmem_numa_has_cpus(int node);

/* migrate_pages(2) of all of this process that is on node @from, to node @to.
 * BROKEN if the call itself is refused.
 */
void gmem_numa_migrate(int from, int to);

/* The same; returns how many pages were not moved, or -errno. */
long __gmem_numa_migrate(int from, int to);

#endif /* GMEM_NUMA_H */
