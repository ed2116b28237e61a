/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A cgroup of the case's own, which only the case's process is in.  What the process
 * allocates after it has entered is charged to the cgroup.
 *
 *	gmem_cgroup_enter("memory");
 *	... allocate ...
 *	charged = gmem_cgroup_numa_stat("file", node);
 *
 * This rests on cgroup v2 at /sys/fs/cgroup.  The cgroup is removed when the case ends.
 */
#ifndef GMEM_CGROUP_H
#define GMEM_CGROUP_H

#include <stdbool.h>

/* Returns true if cgroup v2 has @controller ("memory", "cpuset"). */
bool gmem_cgroup_offers(const char *controller);

/*
 * Creates the cgroup, with @controller enabled, and moves this process into it.  BROKEN on
 * error.
 */
void gmem_cgroup_enter(const char *controller);

/* Returns the number in the cgroup's file @name.  BROKEN if there is none. */
long gmem_cgroup_read(const char *name);

/*
 * Returns how many bytes of @what ("file", "unevictable") on @node the cgroup is charged for,
 * from memory.numa_stat.  BROKEN if the file does not have that number.
 */
long gmem_cgroup_numa_stat(const char *what, int node);

/* Writes @value to the cgroup's file @name.  Returns 0 or -errno. */
int __gmem_cgroup_write(const char *name, long value);

#endif /* GMEM_CGROUP_H */
