// SPDX-License-Identifier: GPL-2.0-only
/* Memory blocks, the units in which the kernel brings memory online. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "case/gmem_deadline.h"
#include "case/gmem_file.h"
#include "case/gmem_restore.h"
#include "case/gmem_result.h"
#include "mm/gmem_block.h"

#define MEMORY	"/sys/devices/system/memory"
#define NODES	"/sys/devices/system/node"
#define HOTPLUG	"/sys/module/memory_hotplug/parameters"

/* Returns the size of a block in pages, or 0 if the kernel has no memory blocks. */
static u64 block_size(void)
{
	char hex[32];

	if (__gmem_file_read(MEMORY "/block_size_bytes", hex, sizeof(hex)) < 0)
		return 0;
	return strtoull(hex, NULL, 16) / getpagesize();
}

/* Reads attribute @name of block @id into @text; false if that is impossible. */
static bool read_attribute(unsigned long id, const char *name, char *text, size_t size)
{
	char path[128];

	snprintf(path, sizeof(path), MEMORY "/memory%lu/%s", id, name);
	return __gmem_file_read(path, text, size) >= 0;
}

/*
 * Returns the node of block @id, from the link nodeN in the block's directory, or 0 if the
 * kernel is built without NUMA.
 */
static int node_of(unsigned long id)
{
	struct dirent *entry;
	char path[64];
	int node = 0;
	DIR *dir;

	snprintf(path, sizeof(path), MEMORY "/memory%lu", id);
	dir = opendir(path);
	if (!dir)
		gmem_broken("%s: %m", path);
	while ((entry = readdir(dir)))
		if (sscanf(entry->d_name, "node%d", &node) == 1)
			break;
	closedir(dir);
	return node;
}

bool gmem_block_of(u64 pfn, int *node, char *zone, size_t size)
{
	u64 pages = block_size();
	char state[16];

	if (!pages || !read_attribute(pfn / pages, "state", state, sizeof(state)) ||
	    strcmp(state, "online") ||
	    !read_attribute(pfn / pages, "valid_zones", zone, size))
		return false;
	*node = node_of(pfn / pages);
	return true;
}

/* Does nothing, but a signal that has a handler interrupts a system call. */
static void interrupt(int signo)
{
}

/*
 * Takes the block whose state is in the file @path offline at the end of a case.  The kernel
 * tries for ever if it cannot empty the block, so a signal ends that.
 */
static void restore_offline(const char *path, const char *text)
{
	struct sigaction action = { .sa_handler = interrupt };
	char state[16];
	int err;

	if (__gmem_file_read(path, state, sizeof(state)) < 0 || strcmp(state, "online"))
		return;
	sigaction(SIGALRM, &action, NULL);
	alarm(GMEM_TIMEOUT_S);
	err = __gmem_file_write(path, "offline");
	alarm(0);
	if (err)
		fprintf(stderr, "# putting back: %s: %s\n", path, strerror(-err));
}

/* Brings block @id online if it is offline and may be ZONE_MOVABLE; false if not. */
static bool online_movable(unsigned long id)
{
	char zones[64], path[64];

	if (!gmem_block_is_offline(id) ||
	    !read_attribute(id, "valid_zones", zones, sizeof(zones)) ||
	    !strstr(zones, "Movable"))
		return false;
	snprintf(path, sizeof(path), MEMORY "/memory%lu/state", id);
	gmem_restore_call(restore_offline, path, "");
	gmem_file_write(path, "online_movable");
	return true;
}

bool gmem_block_online_movable(void)
{
	struct dirent *entry;
	unsigned long id;
	bool done = false;
	DIR *dir;

	dir = opendir(MEMORY);
	if (!dir)
		return false;
	while (!done && (entry = readdir(dir)))
		if (sscanf(entry->d_name, "memory%lu", &id) == 1)
			done = online_movable(id);
	closedir(dir);
	return done;
}

u64 gmem_block_pages(void)
{
	u64 pages = block_size();

	if (!pages)
		gmem_broken("the kernel has no memory blocks");
	return pages;
}

size_t gmem_block_holds(long id, const u64 *pfns, size_t count)
{
	u64 pages = gmem_block_pages();
	size_t held = 0;

	for (size_t i = 0; i < count; i++)
		held += pfns[i] / pages == id;
	return held;
}

bool gmem_block_prefer_movable(void)
{
	if (!gmem_file_exists(HOTPLUG "/online_policy") ||
	    !gmem_file_exists(HOTPLUG "/auto_movable_numa_aware"))
		return false;
	gmem_sysctl_set(HOTPLUG "/online_policy", "auto-movable");
	/* By default, a node only gets ZONE_MOVABLE in proportion to its other memory. */
	gmem_sysctl_set(HOTPLUG "/auto_movable_numa_aware", "N");
	return true;
}

bool gmem_block_exists(long id)
{
	char path[64];

	snprintf(path, sizeof(path), MEMORY "/memory%ld", id);
	return gmem_file_exists(path);
}

bool gmem_block_is_offline(long id)
{
	char state[16];

	return read_attribute(id, "state", state, sizeof(state)) && !strcmp(state, "offline");
}

bool gmem_block_is_online(long id)
{
	char state[16];

	return read_attribute(id, "state", state, sizeof(state)) && !strcmp(state, "online");
}

/*
 * Returns true if all blocks of @node are offline, and there are at least two; @ids are the
 * two lowest.
 */
static bool is_offline_node(int node, long ids[2])
{
	struct dirent *entry;
	bool offline = true;
	char path[64];
	long id;
	DIR *dir;

	ids[0] = LONG_MAX;
	ids[1] = LONG_MAX;
	snprintf(path, sizeof(path), NODES "/node%d", node);
	dir = opendir(path);
	while (dir && offline && (entry = readdir(dir))) {
		if (sscanf(entry->d_name, "memory%ld", &id) != 1)
			continue;
		offline = gmem_block_is_offline(id);
		if (id < ids[0]) {
			ids[1] = ids[0];
			ids[0] = id;
		} else if (id < ids[1]) {
			ids[1] = id;
		}
	}
	if (dir)
		closedir(dir);
	return offline && ids[1] != LONG_MAX;
}

int __gmem_block_find_offline_node(long ids[2])
{
	struct dirent *entry;
	int node, found = -1;
	DIR *dir;

	dir = opendir(NODES);
	while (dir && found < 0 && (entry = readdir(dir)))
		if (sscanf(entry->d_name, "node%d", &node) == 1 &&
		    is_offline_node(node, ids))
			found = node;
	if (dir)
		closedir(dir);
	return found;
}

int gmem_block_find_offline_node(long ids[2])
{
	int node = __gmem_block_find_offline_node(ids);
	char path[64];

	if (node < 0)
		gmem_skip_if(GMEM_SKIP_no_offline_blocks);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), MEMORY "/memory%ld/state", ids[i]);
		gmem_restore_call(restore_offline, path, "");
	}
	return node;
}

void gmem_block_online(long id, const char *as)
{
	char path[64];

	snprintf(path, sizeof(path), MEMORY "/memory%ld/state", id);
	gmem_file_write(path, as);
}

void gmem_block_online_kernel(long id, long other)
{
	gmem_block_online(other, "online_movable");
	gmem_block_online(id, "online_kernel");
	gmem_block_offline(other);
}
