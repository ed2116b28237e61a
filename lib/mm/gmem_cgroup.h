/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A cgroup of this case's own, by cgroup v2 at /sys/fs/cgroup.  Only the case's
 * process is in it, from when it enters on: what it allocates then is charged to
 * it.  gmem_restore removes it.
 */
#ifndef GMEM_CGROUP_H
#define GMEM_CGROUP_H

#include <stdbool.h>

/* True if cgroup v2 has @controller ("memory", "cpuset"). */
bool gmem_cgroup_offers(const char *controller);

/* Creates the cgroup, with @controller, and moves this process into it.  BROKEN on
 * error.
 */
void gmem_cgroup_enter(const char *controller);

/* The number in file @name of the cgroup. */
long gmem_cgroup_read(const char *name);

/* Bytes of @what ("file", "unevictable") that the cgroup has on @node, by
 * memory.numa_stat.  BROKEN if it does not say.
 */
long gmem_cgroup_numa_stat(const char *what, int node);

/* Writes @value to file @name of the cgroup.  Returns 0 or -errno. */
int __gmem_cgroup_write(const char *name, long value);

#endif /* GMEM_CGROUP_H */
