// SPDX-License-Identifier: GPL-2.0-only
/* Memory blocks: what the kernel brings online and takes offline as one. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gmem_block.h"
#include "gmem_case.h"
#include "gmem_file.h"
#include "gmem_undo.h"

#define MEMORY	"/sys/devices/system/memory"

/* In pages. */
static __u64 block_size(void)
{
	char hex[32];

	if (__gmem_file_read(MEMORY "/block_size_bytes", hex, sizeof(hex)) < 0)
		return 0;
	return strtoull(hex, NULL, 16) / getpagesize();
}

/* False if there is no such attribute, or if it cannot be read. */
static bool attribute(unsigned long id, const char *name, char *text, size_t size)
{
	char path[128];

	snprintf(path, sizeof(path), MEMORY "/memory%lu/%s", id, name);
	return __gmem_file_read(path, text, size) >= 0;
}

/* Of the link "nodeN" in the block's directory; 0 if nodes are not built in. */
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

bool gmem_block_of(__u64 frame, int *node, char *zone, size_t size)
{
	__u64 pages = block_size();
	char state[16];

	if (!pages || !attribute(frame / pages, "state", state, sizeof(state)) ||
	    strcmp(state, "online") || !attribute(frame / pages, "valid_zones", zone, size))
		return false;
	*node = node_of(frame / pages);
	return true;
}

static bool online_movable(unsigned long id)
{
	char state[16], zones[64], path[64];

	if (!attribute(id, "state", state, sizeof(state)) || strcmp(state, "offline") ||
	    !attribute(id, "valid_zones", zones, sizeof(zones)) || !strstr(zones, "Movable"))
		return false;
	snprintf(path, sizeof(path), MEMORY "/memory%lu/state", id);
	gmem_undo_write(path, "offline");
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
