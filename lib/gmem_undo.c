// SPDX-License-Identifier: GPL-2.0-only
/* Puts back what a case changes, however the case ends. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/bits.h>
#include <linux/kernel-page-flags.h>
#include <sys/file.h>
#include <sys/swap.h>

#include "gmem_case.h"
#include "gmem_file.h"
#include "gmem_qmp.h"
#include "gmem_undo.h"
#include "gmem_virtio_mem.h"

#define MAX_ENTRIES 64

enum action {
	WRITE,
	RMDIR,
	SWAPOFF,
	UNPOISON,
	OFFLINE,
	QMP,
	VIRTIO_MEM,
	KILL,
};

/* Seconds for a memory block to go offline. */
#define PATIENCE 30

struct entry {
	enum action action;
	char path[192];		/* or the process group to KILL */
	char text[128];		/* to WRITE; the frame's number; QMP's arguments */
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

static bool is_poisoned(const char *number)
{
	__u64 frame = strtoull(number, NULL, 0), flags = 0;
	int fd = open("/proc/kpageflags", O_RDONLY);

	if (fd < 0)
		return false;
	if (pread(fd, &flags, sizeof(flags), frame * sizeof(flags)) != sizeof(flags))
		flags = 0;
	close(fd);
	return flags & BIT_ULL(KPF_HWPOISON);
}

static void give_up(int signo)
{
}

/* A block that nothing can empty goes offline for ever, or until a signal comes. */
static void take_offline(const struct entry *entry)
{
	struct sigaction action = { .sa_handler = give_up };
	char state[16];

	if (__gmem_file_read(entry->path, state, sizeof(state)) < 0 || strcmp(state, "online"))
		return;
	sigaction(SIGALRM, &action, NULL);
	alarm(PATIENCE);
	write_back(entry);
	alarm(0);
}

static void put_back(const struct entry *entry)
{
	char reply[512];
	int err;

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
	case UNPOISON:
		/* A frame is in use until the case's files and mappings are gone. */
		for (int i = 0; is_poisoned(entry->text) && i < 1000; i++) {
			if (!__gmem_file_write(entry->path, entry->text))
				return;
			usleep(1000);
		}
		if (is_poisoned(entry->text))
			fprintf(stderr, "# putting back: frame %s stays out of use\n",
				entry->text);
		break;
	case OFFLINE:
		take_offline(entry);
		break;
	case QMP:
		err = __gmem_qmp(entry->path, entry->text, reply, sizeof(reply));
		if (err && err != -EREMOTEIO)
			fprintf(stderr, "# putting back: QMP %s: %s\n", entry->path,
				strerror(-err));
		break;
	case VIRTIO_MEM:
		if (__gmem_virtio_mem_shrink(0))
			fprintf(stderr, "# putting back: the virtio-mem device keeps its size\n");
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

void gmem_undo_unpoison(__u64 frame)
{
	char number[32];

	snprintf(number, sizeof(number), "%#llx", frame);
	push(UNPOISON, "/sys/kernel/debug/hwpoison/unpoison-pfn", number);
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

void gmem_undo_offline(const char *path)
{
	push(OFFLINE, path, "offline");
}

void gmem_undo_qmp(const char *command, const char *arguments)
{
	push(QMP, command, arguments);
}

void gmem_undo_virtio_mem(void)
{
	push(VIRTIO_MEM, "", "");
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
