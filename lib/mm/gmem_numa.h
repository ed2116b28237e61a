/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * NUMA nodes and policies, through libnuma.  The tests use the first two nodes that have
 * memory, as node ids may be sparse and nodes may be empty.
 *
 *	gmem_skip_if(gmem_numa_missing());
 *	gmem_numa_move(mem, npages, page_size, gmem_numa_node(1), false);
 *
 * Addresses are of this process unless a pid is given, and sizes are in bytes.
 */
#ifndef GMEM_NUMA_H
#define GMEM_NUMA_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "case/gmem_result.h"

/* Returns GMEM_SKIP_none if there are two nodes with memory, and move_pages(2) works. */
enum gmem_skip_reason gmem_numa_missing(void);

/* Returns the id of the @nth node that has memory, counted from 0, or -1 if there is none. */
int gmem_numa_node(int nth);

/* Returns the one of the first two nodes with memory that is not @node. */
int gmem_numa_other(int node);

/*
 * Returns how many bytes of @node compaction may want to move: page cache and anonymous
 * memory, from the node's meminfo in sysfs.  It is an upper estimate.
 */
size_t gmem_numa_movable(int node);

/* Returns how many bytes of @node are free. */
size_t gmem_numa_free(int node);

/*
 * Makes this thread allocate from @node alone from now on (set_mempolicy(2)); -1 restores the
 * default policy.
 */
void gmem_numa_bind(int node);

/*
 * Makes this thread allocate from @node while the node has free memory, and from other nodes
 * otherwise, so that the OOM killer does not run.  gmem_numa_bind(-1) restores the default
 * policy.
 */
void gmem_numa_prefer(int node);

/*
 * Asks move_pages(2) to move the @count host pages of @page_size bytes from @addr on to
 * @node, with @all even pages that other processes map, too.  It does not report which pages
 * moved; callers compare pfns.  BROKEN if the call itself is refused.
 */
void gmem_numa_move(void *addr, size_t count, size_t page_size, int node, bool all);

/*
 * Asks the same for pages of process @pid, where 0 is this process.  Returns what
 * move_pages(2) does: 0, the number of pages that were not moved, or -errno.  @status gets
 * the node or -errno of each page, as far as the call fills it in, and -1 otherwise.
 */
int __gmem_numa_move(pid_t pid, void *addr, size_t count, size_t page_size, int node, bool all,
		     int *status);

/*
 * Binds the @size bytes from @addr on to @node alone, with mbind(2) and MPOL_MF_MOVE.
 * BROKEN if the call is refused.
 */
void gmem_numa_mbind(void *addr, size_t size, int node);

/*
 * Binds in the same way, with MPOL_MF_STRICT if @strict.  Returns 0 or -errno; -EIO means
 * that @strict is set and that pages are on other nodes.
 */
int __gmem_numa_mbind(void *addr, size_t size, int node, bool strict);

/*
 * Makes all CPUs put the folios in their batches onto the LRU lists, because a folio in a
 * batch cannot be isolated.  This rests on mbind(2) with MPOL_MF_MOVE, which does so first.
 */
void gmem_numa_drain(void);

/*
 * Binds the @size bytes from @addr on to the first two nodes with mbind(2), and lets NUMA
 * balancing choose between them (MPOL_F_NUMA_BALANCING).  BROKEN if the call is refused.
 */
void gmem_numa_balance(void *addr, size_t size);

/* Makes this thread run on CPUs of @node alone from now on.  BROKEN if that is refused. */
void gmem_numa_run_on(int node);

/* Returns true if @node has CPUs. */
bool gmem_numa_has_cpus(int node);

/*
 * Asks migrate_pages(2) to move all memory of this process that is on node @from to node @to.
 * BROKEN if the call itself is refused.
 */
void gmem_numa_migrate(int from, int to);

/* Asks the same; returns the number of pages that were not moved, or -errno. */
long __gmem_numa_migrate(int from, int to);

#endif /* GMEM_NUMA_H */
