// SPDX-License-Identifier: GPL-2.0-only
/* A cgroup of the case's own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "case/gmem_file.h"
#include "case/gmem_restore.h"
#include "case/gmem_result.h"
#include "mm/gmem_cgroup.h"

#define CGROUP_ROOT	"/sys/fs/cgroup"
#define SUBTREE_CONTROL	CGROUP_ROOT "/cgroup.subtree_control"

static char cgroup[64];

/* Returns true if @word is one of the words in the file @path. */
static bool has_word(const char *path, const char *word)
{
	char words[256], *rest = words, *next;

	if (__gmem_file_read(path, words, sizeof(words)) < 0)
		return false;
	while ((next = strsep(&rest, " ")))
		if (!strcmp(next, word))
			return true;
	return false;
}

bool gmem_cgroup_offers(const char *controller)
{
	return has_word(CGROUP_ROOT "/cgroup.controllers", controller);
}

void gmem_cgroup_enter(const char *controller)
{
	char path[96], text[32];

	if (!has_word(SUBTREE_CONTROL, controller)) {
		snprintf(text, sizeof(text), "-%s", controller);
		gmem_restore_write(SUBTREE_CONTROL, text);
		snprintf(text, sizeof(text), "+%s", controller);
		gmem_file_write(SUBTREE_CONTROL, text);
	}
	snprintf(cgroup, sizeof(cgroup), CGROUP_ROOT "/gmem_%d", getpid());
	gmem_restore_rmdir(cgroup);
	if (mkdir(cgroup, 0700))
		gmem_broken("%s: %m", cgroup);
	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	gmem_file_write(path, "0");
}

long gmem_cgroup_read(const char *name)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/%s", cgroup, name);
	return gmem_file_read_long(path);
}

long gmem_cgroup_numa_stat(const char *what, int node)
{
	char text[4096], path[96], key[32], *line, *found = NULL;
	int len;

	snprintf(path, sizeof(path), "%s/memory.numa_stat", cgroup);
	len = __gmem_file_read(path, text, sizeof(text));
	if (len < 0)
		gmem_broken("%s: %s", path, strerror(-len));
	snprintf(key, sizeof(key), " N%d=", node);
	/* There is a line for each kind of memory, such as "file N0=4096 N1=0". */
	for (char *rest = text; !found && (line = strsep(&rest, "\n")); )
		if (!strncmp(line, what, strlen(what)) && line[strlen(what)] == ' ')
			found = strstr(line, key);
	if (!found)
		gmem_broken("%s has no \"%s\" for node %d", path, what, node);
	return strtol(found + strlen(key), NULL, 10);
}

int __gmem_cgroup_write(const char *name, long value)
{
	char path[96], text[32];

	snprintf(path, sizeof(path), "%s/%s", cgroup, name);
	snprintf(text, sizeof(text), "%ld", value);
	return __gmem_file_write(path, text);
}
