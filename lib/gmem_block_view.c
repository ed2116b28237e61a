// SPDX-License-Identifier: GPL-2.0-only
/* What a process is shown of the machine's memory blocks. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "gmem_block_view.h"

#define MEMORY	"/sys/devices/system/memory"

/* Puts the directory @fd to where it was before something was mounted over it. */
static int show(int fd, long id)
{
	char from[32], to[64];

	snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	snprintf(to, sizeof(to), MEMORY "/memory%ld", id);
	if (mkdir(to, 0755) || mount(from, to, NULL, MS_BIND, NULL))
		return -errno;
	return 0;
}

static int show_all(const int *fds, const long *ids, size_t count)
{
	int err = 0;

	if (mount("none", MEMORY, "tmpfs", 0, NULL))
		return -errno;
	for (size_t i = 0; i < count && !err; i++)
		err = show(fds[i], ids[i]);
	return err;
}

int __gmem_block_view(const long *ids, size_t count)
{
	int fds[count], err = 0;
	char path[64];
	size_t opened;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	for (opened = 0; opened < count && !err; opened++) {
		snprintf(path, sizeof(path), MEMORY "/memory%ld", ids[opened]);
		fds[opened] = open(path, O_PATH | O_CLOEXEC);
		if (fds[opened] < 0)
			err = -errno;
	}
	if (!err)
		err = show_all(fds, ids, count);
	while (opened--)
		close(fds[opened]);
	return err;
}
