// SPDX-License-Identifier: GPL-2.0-only
/* Puts back what a case changes, however the case ends. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/file.h>
#include <sys/swap.h>

#include "gmem_case.h"
#include "gmem_file.h"
#include "gmem_undo.h"

#define MAX_ENTRIES 64

enum action {
	WRITE,
	RMDIR,
	SWAPOFF,
	KILL,
};

struct entry {
	enum action action;
	char path[192];		/* or the process group to KILL */
	char text[128];		/* to WRITE */
};

static int to_keeper = -1;

static void write_back(const struct entry *entry)
{
	size_t len = strlen(entry->text);
	int fd;

	fd = open(entry->path, O_WRONLY | O_APPEND);
	if (fd < 0)
		return;
	if (write(fd, entry->text, len) != (ssize_t)len)
		fprintf(stderr, "# putting back: writing \"%s\" to %s: %s\n",
			entry->text, entry->path, strerror(errno));
	close(fd);
}

static void put_back(const struct entry *entry)
{
	switch (entry->action) {
	case WRITE:
		write_back(entry);
		break;
	case RMDIR:
		/* A trace instance is busy until its last reader is gone. */
		for (int i = 0; rmdir(entry->path) && errno == EBUSY && i < 1000; i++)
			usleep(1000);
		break;
	case SWAPOFF:
		if (swapoff(entry->path) && errno != EINVAL)
			fprintf(stderr, "# putting back: swapoff %s: %s\n", entry->path,
				strerror(errno));
		break;
	case KILL:
		kill(-atoi(entry->path), SIGKILL);
		break;
	}
}

__noreturn
static void keep(int from_case)
{
	static struct entry list[MAX_ENTRIES];
	size_t n = 0;

	/* Out of reach of a kill of the case's process group or terminal. */
	setsid();
	signal(SIGPIPE, SIG_IGN);
	while (n < MAX_ENTRIES &&
	       read(from_case, &list[n], sizeof(list[n])) == sizeof(list[n]))
		n++;
	while (n--)
		put_back(&list[n]);
	_exit(0);
}

/*
 * One case at a time on this machine, and none before the keeper of the last one
 * is done: the lock goes with the last of the two processes that share it.
 */
static void take_turn(void)
{
	int fd = open("/proc/sys/vm", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || flock(fd, LOCK_EX))
		gmem_broken("locking /proc/sys/vm: %m");
}

void gmem_undo_begin(void)
{
	int pipefd[2];
	pid_t keeper;

	if (to_keeper >= 0)
		return;
	take_turn();
	if (pipe2(pipefd, O_CLOEXEC))
		gmem_broken("pipe: %m");
	keeper = fork();
	if (keeper < 0)
		gmem_broken("fork: %m");
	if (!keeper) {
		close(pipefd[1]);
		keep(pipefd[0]);
	}
	close(pipefd[0]);
	to_keeper = pipefd[1];
}

static void push(enum action action, const char *path, const char *text)
{
	struct entry entry = { .action = action };

	/* An entry is below PIPE_BUF, so it arrives whole or not at all. */
	if (snprintf(entry.path, sizeof(entry.path), "%s", path) >= (int)sizeof(entry.path) ||
	    snprintf(entry.text, sizeof(entry.text), "%s", text) >= (int)sizeof(entry.text) ||
	    write(to_keeper, &entry, sizeof(entry)) != sizeof(entry))
		gmem_broken("cannot arrange to put %s back", path);
}

void gmem_undo_write(const char *path, const char *text)
{
	push(WRITE, path, text);
}

void gmem_undo_rmdir(const char *path)
{
	push(RMDIR, path, "");
}

void gmem_undo_kill(int group)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", group);
	push(KILL, number, "");
}

void gmem_undo_swapoff(const char *path)
{
	push(SWAPOFF, path, "");
}

void gmem_sysctl_set(const char *path, const char *value)
{
	char was[64];
	int len = __gmem_file_read(path, was, sizeof(was));

	if (len < 0)
		gmem_broken("%s: %s", path, strerror(-len));
	gmem_undo_write(path, was);
	gmem_file_write(path, value);
}
