// SPDX-License-Identifier: GPL-2.0-only
/* Puts back what a case changes, however the case ends. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/file.h>

#include "case/gmem_file.h"
#include "case/gmem_restore.h"
#include "case/gmem_result.h"
#include "case/gmem_watchdog.h"

#define MAX_ENTRIES 64

struct entry {
	void (*restore)(const char *what, const char *text);
	char what[192];
	char text[128];
};

static int to_restorer = -1;

static void write_back(const char *path, const char *text)
{
	int err = __gmem_file_write(path, text);

	if (err && err != -ENOENT)
		fprintf(stderr, "# putting back: writing \"%s\" to %s: %s\n", text, path,
			strerror(-err));
}

static void remove_dir(const char *path, const char *text)
{
	/* A trace instance is busy until its last reader is gone. */
	for (int i = 0; rmdir(path) && errno == EBUSY && i < 1000; i++)
		usleep(1000);
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
		list[n].restore(list[n].what, list[n].text);
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

void gmem_restore_begin(void)
{
	int pipefd[2];
	pid_t restorer;

	if (to_restorer >= 0)
		return;
	gmem_watchdog_arm(GMEM_NO_CLAUSE, "waiting for another case of the suite to end");
	take_turn();
	gmem_watchdog_disarm();
	if (pipe2(pipefd, O_CLOEXEC))
		gmem_broken("pipe: %m");
	restorer = fork();
	if (restorer < 0)
		gmem_broken("fork: %m");
	if (!restorer) {
		close(pipefd[1]);
		keep(pipefd[0]);
	}
	close(pipefd[0]);
	to_restorer = pipefd[1];
}

void gmem_restore_call(void (*restore)(const char *what, const char *text), const char *what,
		    const char *text)
{
	struct entry entry = { .restore = restore };

	/* An entry is below PIPE_BUF, so it arrives whole or not at all. */
	if (snprintf(entry.what, sizeof(entry.what), "%s", what) >= (int)sizeof(entry.what) ||
	    snprintf(entry.text, sizeof(entry.text), "%s", text) >= (int)sizeof(entry.text) ||
	    write(to_restorer, &entry, sizeof(entry)) != sizeof(entry))
		gmem_broken("cannot arrange to put %s back", what);
}

void gmem_restore_write(const char *path, const char *text)
{
	gmem_restore_call(write_back, path, text);
}

void gmem_restore_rmdir(const char *path)
{
	gmem_restore_call(remove_dir, path, "");
}

/* Return the bracketed choice of "always [madvise] never", or else the whole string. */
static char *chosen(char *text)
{
	char *open = strchr(text, '[');
	char *end = open ? strchr(open, ']') : NULL;

	if (!end)
		return text;
	*end = '\0';
	return open + 1;
}

void gmem_sysctl_set(const char *path, const char *value)
{
	char was[64];
	int len = __gmem_file_read(path, was, sizeof(was));

	if (len < 0)
		gmem_broken("%s: %s", path, strerror(-len));
	gmem_restore_write(path, chosen(was));
	gmem_file_write(path, value);
}
