/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Accounting: what the kernel counts of memory, by node and for the case's cgroup, and
 * the VMs that it keeps.
 *
 *	gmem_account_begin();
 *	gmem_account_read(&before);
 *	... allocate and migrate ...
 *	gmem_account_read(&now);
 *	gmem_account_check(&before, &now, pages, false, 64, "moved");
 *	... free ...
 *	gmem_account_wait(&before, 64);
 *
 * Rests on the nodes' vmstat in sysfs, memory.current and memory.numa_stat of cgroup v2,
 * and the kvm directory of debugfs.  CPUs keep pages and parts of counters to themselves:
 * they are made to part with both first.  What is left is a few dozen pages that others
 * allocate meanwhile, and, of a cgroup, what CPUs have charged in advance.
 */
#ifndef GMEM_ACCOUNT_H
#define GMEM_ACCOUNT_H

#include <stdbool.h>
#include <sys/types.h>

/* Of a node, in pages, by its vmstat. */
enum gmem_counter {
	GMEM_NR_FILE_PAGES,	/* in the page cache */
	GMEM_NR_UNEVICTABLE,	/* on that LRU list, referred to or not by a file */
	GMEM_NR_ISOLATED_FILE,	/* taken off a list to be moved, or reclaimed */
	GMEM_NR_MLOCK,
	GMEM_NR_FREE_PAGES,
	GMEM_COUNTERS
};

/* The first two nodes' counters; and in pages, too, the case's cgroup's. */
struct gmem_account {
	long node[2][GMEM_COUNTERS];
	long charged;		/* memory.current */
	long file[2];		/* of that, page cache, by node */
	long unevictable[2];
};

/* The case enters a cgroup of its own, and CPUs keep fewer pages to themselves from now on.
 * Skips the case without two nodes or the memory controller.
 */
void gmem_account_begin(void);

/* Reads all counters.  BROKEN on error. */
void gmem_account_read(struct gmem_account *account);

/*
 * Fails the case (C10) unless, within @slack pages, each of the two nodes and the cgroup
 * have @pages[0] and @pages[1] more in the page cache and unevictable than @before, as many
 * locked if @locked, and nothing isolated.  @when is what the message begins with.
 */
void gmem_account_check(const struct gmem_account *before, const struct gmem_account *now,
			const long pages[2], bool locked, long slack, const char *when);

/*
 * Waits until every counter is where it was @before, and no less memory free, within
 * @slack pages: the kernel frees some things later, or once its slabs are shrunk, which
 * they are by /sys/kernel/slab where that is.  Fails the case (C10) if one never is.
 */
void gmem_account_wait(const struct gmem_account *before, long slack);

/* How many VMs that process @pid has created the kernel still has: directories in
 * debugfs' kvm.  BROKEN without that.
 */
int gmem_account_vms(pid_t pid);

/* Waits until there is none.  Fails the case (C10) if that never happens. */
void gmem_account_wait_vms(pid_t pid);

#endif /* GMEM_ACCOUNT_H */
