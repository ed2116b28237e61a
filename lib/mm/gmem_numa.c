// SPDX-License-Identifier: GPL-2.0-only
/* NUMA nodes and policies, through libnuma. */
#include <errno.h>
#include <numa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/bits.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "kselftest.h"

#include "case/gmem_alloc.h"
#include "case/gmem_result.h"
#include "mm/gmem_numa.h"

/* These are in <numaif.h>, but an include of that name finds kvm_util's own numaif.h. */
#ifndef MPOL_MF_MOVE
#define MPOL_DEFAULT 0
#define MPOL_BIND 2
#define MPOL_MF_STRICT BIT(0)
#define MPOL_MF_MOVE BIT(1)
#define MPOL_MF_MOVE_ALL BIT(2)
#endif
#ifndef MPOL_F_NUMA_BALANCING
#define MPOL_F_NUMA_BALANCING BIT(13)
#endif

static int find_node(int nth)
{
	if (numa_available() < 0)
		return -1;
	for (int node = 0; node <= numa_max_node(); node++)
		if (numa_node_size64(node, NULL) > 0 && !nth--)
			return node;
	return -1;
}

/*
 * The first two nodes are cached, as callers ask for them for each page.  They stay the same,
 * because a node that has memory at boot does not lose all of it.
 */
int gmem_numa_node(int nth)
{
	static int node[2] = { -1, -1 };

	if (nth >= ARRAY_SIZE(node))
		return find_node(nth);
	if (node[nth] < 0)
		node[nth] = find_node(nth);
	return node[nth];
}

int gmem_numa_other(int node)
{
	return node == gmem_numa_node(0) ? gmem_numa_node(1) : gmem_numa_node(0);
}

enum gmem_skip_reason gmem_numa_missing(void)
{
	void *page = NULL;
	int status;

	if (gmem_numa_node(1) < 0)
		return GMEM_SKIP_no_numa;
	/* This only asks for the node of NULL, which fails only without the system call. */
	if (numa_move_pages(0, 1, &page, NULL, &status, 0))
		return GMEM_SKIP_no_numa_migration;
	return GMEM_SKIP_none;
}

size_t gmem_numa_movable(int node)
{
	size_t kib, total = 0;
	char line[128];
	FILE *file;

	snprintf(line, sizeof(line), "/sys/devices/system/node/node%d/meminfo", node);
	file = fopen(line, "re");
	if (!file)
		gmem_broken("%s: %m", line);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Node %*d FilePages: %zu kB", &kib) == 1 ||
		    sscanf(line, "Node %*d AnonPages: %zu kB", &kib) == 1)
			total += kib * 1024;
	fclose(file);
	return total;
}

size_t gmem_numa_free(int node)
{
	long long free = 0;

	numa_node_size64(node, &free);
	return free;
}

static struct bitmask *mask_of(int node)
{
	struct bitmask *mask = numa_allocate_nodemask();

	numa_bitmask_setbit(mask, node);
	return mask;
}

void gmem_numa_bind(int node)
{
	struct bitmask *mask;

	if (node < 0) {
		/* libnuma has no call for this: its local policy is not the default policy. */
		if (syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0))
			gmem_broken("set_mempolicy: %m");
		return;
	}
	mask = mask_of(node);
	numa_set_membind(mask);
	numa_free_nodemask(mask);
}

void gmem_numa_prefer(int node)
{
	numa_set_preferred(node);
}

int __gmem_numa_move(pid_t pid, void *addr, size_t count, size_t page_size, int node, bool all,
		     int *status)
{
	void **pages = gmem_zalloc(count, sizeof(*pages));
	int *nodes = gmem_zalloc(count, sizeof(*nodes));
	int ret;

	for (size_t i = 0; i < count; i++) {
		pages[i] = (char *)addr + i * page_size;
		nodes[i] = node;
		status[i] = -1;
	}
	ret = numa_move_pages(pid, count, pages, nodes, status,
			      all ? MPOL_MF_MOVE_ALL : MPOL_MF_MOVE);
	if (ret < 0)
		ret = -errno;
	free(pages);
	free(nodes);
	return ret;
}

void gmem_numa_move(void *addr, size_t count, size_t page_size, int node, bool all)
{
	int *status = gmem_zalloc(count, sizeof(*status));
	int ret;

	ret = __gmem_numa_move(0, addr, count, page_size, node, all, status);
	/* Pages that were not moved, or a full node (-ENOMEM), are not judged here. */
	if (ret < 0 && ret != -ENOMEM)
		gmem_broken("move_pages to node %d: %s", node, strerror(-ret));
	free(status);
}

/* This is a system call, because libnuma has no call that both binds and moves. */
int __gmem_numa_mbind(void *addr, size_t size, int node, bool strict)
{
	struct bitmask *mask = mask_of(node);
	int ret = syscall(SYS_mbind, addr, size, MPOL_BIND, mask->maskp, mask->size + 1,
			  MPOL_MF_MOVE | (strict ? MPOL_MF_STRICT : 0));

	ret = ret < 0 ? -errno : 0;
	numa_free_nodemask(mask);
	return ret;
}

void gmem_numa_mbind(void *addr, size_t size, int node)
{
	int ret = __gmem_numa_mbind(addr, size, node, false);

	if (ret)
		gmem_broken("mbind to node %d: %s", node, strerror(-ret));
}

void gmem_numa_drain(void)
{
	size_t size = getpagesize();
	void *page = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		gmem_broken("mmap: %m");
	gmem_numa_mbind(page, size, gmem_numa_node(0));
	munmap(page, size);
}

void gmem_numa_balance(void *addr, size_t size)
{
	struct bitmask *mask = mask_of(gmem_numa_node(0));

	numa_bitmask_setbit(mask, gmem_numa_node(1));
	if (syscall(SYS_mbind, addr, size, MPOL_BIND | MPOL_F_NUMA_BALANCING, mask->maskp,
		    mask->size + 1, 0) < 0)
		gmem_broken("mbind with MPOL_F_NUMA_BALANCING: %m");
	numa_free_nodemask(mask);
}

void gmem_numa_run_on(int node)
{
	if (numa_run_on_node(node))
		gmem_broken("running on node %d: %m", node);
}

bool gmem_numa_has_cpus(int node)
{
	struct bitmask *cpus = numa_allocate_cpumask();
	bool has;

	has = !numa_node_to_cpus(node, cpus) && numa_bitmask_weight(cpus);
	numa_free_cpumask(cpus);
	return has;
}

long __gmem_numa_migrate(int from, int to)
{
	struct bitmask *source = mask_of(from), *target = mask_of(to);
	long ret = numa_migrate_pages(0, source, target);

	ret = ret < 0 ? -errno : ret;
	numa_free_nodemask(source);
	numa_free_nodemask(target);
	return ret;
}

void gmem_numa_migrate(int from, int to)
{
	long ret = __gmem_numa_migrate(from, to);

	/* A number above 0 counts pages that were not moved, which is not judged here. */
	if (ret < 0)
		gmem_broken("migrate_pages from node %d to %d: %s", from, to, strerror(-ret));
}
