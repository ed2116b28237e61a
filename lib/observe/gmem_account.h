/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Accounting: what the kernel counts for each node and for the case's cgroup, and which VMs
 * it still keeps.
 *
 *	gmem_account_begin();
 *	gmem_account_read(&before);
 *	... allocate and migrate ...
 *	gmem_account_read(&now);
 *	gmem_account_check(&before, &now, pages, false, 64, "moved");
 *	... free ...
 *	gmem_account_wait(&before, 64);
 *
 * This rests on the nodes' vmstat in sysfs, memory.current and memory.numa_stat of cgroup v2,
 * and the kvm directory of debugfs.  Each CPU keeps free pages and parts of counters to
 * itself, and is made to give both back before a reading.  The error that is left is a few
 * dozen pages, which others allocate meanwhile, and what CPUs have charged to the cgroup in
 * advance; callers allow for it by a slack.
 */
#ifndef GMEM_ACCOUNT_H
#define GMEM_ACCOUNT_H

#include <stdbool.h>
#include <sys/types.h>

#include "case/gmem_result.h"

/* The counters that are read for each node from its vmstat, in pages. */
enum gmem_counter {
	GMEM_NR_FILE_PAGES,	/* in the page cache */
	GMEM_NR_UNEVICTABLE,	/* on the unevictable LRU list, with or without a mapping */
	GMEM_NR_ISOLATED_FILE,	/* taken off an LRU list to be moved or reclaimed */
	GMEM_NR_MLOCK,
	GMEM_NR_FREE_PAGES,
	GMEM_COUNTERS
};

/* The counters of the first two nodes, and those of the case's cgroup, all in pages. */
struct gmem_account {
	long node[2][GMEM_COUNTERS];
	long charged;		/* memory.current of the cgroup */
	long file[2];		/* the cgroup's page cache on each node */
	long unevictable[2];	/* the cgroup's unevictable memory on each node */
};

/*
 * Moves the case into a cgroup of its own, and makes CPUs keep fewer free pages to themselves
 * until the case ends.  Skips the case if there are no two nodes (no_numa) or no memory
 * controller (no_memcg).
 */
void gmem_account_begin(void);

/* Reads all counters.  The case is BROKEN on error. */
void gmem_account_read(struct gmem_account *account);

/*
 * Compares @now with @before.  On the two nodes and in the cgroup there must be @pages[0] and
 * @pages[1] more in the page cache, as many more unevictable, as many more locked if @locked,
 * and none isolated.  Fails the case (C10) if one differs by more than @slack pages; the
 * message begins with @when.
 */
#define gmem_account_check(before, now, pages, locked, slack, when) \
	gmem_account_check_at(GMEM_HERE, before, now, pages, locked, slack, when)
void gmem_account_check_at(const struct gmem_location *at, const struct gmem_account *before,
			   const struct gmem_account *now, const long pages[2], bool locked,
			   long slack, const char *when);

/*
 * Waits until every counter is back at @before, and no less memory is free, within @slack
 * pages.  The kernel frees some objects late, or only once its slabs are shrunk, which this
 * does meanwhile where /sys/kernel/slab exists.  Fails the case (C10) if a counter does not
 * come back.
 */
#define gmem_account_wait(before, slack) gmem_account_wait_at(GMEM_HERE, before, slack)
void gmem_account_wait_at(const struct gmem_location *at, const struct gmem_account *before,
			  long slack);

/*
 * Returns how many of the VMs that process @pid created the kernel still has, which is the
 * number of their directories in debugfs' kvm.  The case is BROKEN without that directory.
 */
int gmem_account_vms(pid_t pid);

/* Waits until gmem_account_vms() is 0.  Fails the case (C10) if that never happens. */
#define gmem_account_wait_vms(pid) gmem_account_wait_vms_at(GMEM_HERE, pid)
void gmem_account_wait_vms_at(const struct gmem_location *at, pid_t pid);

#endif /* GMEM_ACCOUNT_H */
