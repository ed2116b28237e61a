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
static void run_restorer(int from_case)
{
	static struct entry list[MAX_ENTRIES];
	size_t n = 0;

	/* Whoever kills the case's process group or terminal must not kill the restorer. */
	setsid();
	signal(SIGPIPE, SIG_IGN);
	while (n < MAX_ENTRIES &&
	       read(from_case, &list[n], sizeof(list[n])) == sizeof(list[n]))
		n++;
	/* The pipe is closed: the case's process has ended. */
	while (n--)
		list[n].restore(list[n].what, list[n].text);
	_exit(0);
}

/*
 * Cases change settings of the whole machine, so that only one may run at a time, and the next
 * only after the restorer is done.  Case and restorer share the descriptor, so that the lock is
 * released when the last of them ends.
 */
static void lock_machine(void)
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
	lock_machine();
	gmem_watchdog_disarm();
	if (pipe2(pipefd, O_CLOEXEC))
		gmem_broken("pipe: %m");
	restorer = fork();
	if (restorer < 0)
		gmem_broken("fork: %m");
	if (!restorer) {
		close(pipefd[1]);
		run_restorer(pipefd[0]);
	}
	close(pipefd[0]);
	to_restorer = pipefd[1];
}

void gmem_restore_call(void (*restore)(const char *what, const char *text), const char *what,
		       const char *text)
{
	struct entry entry = { .restore = restore };

	/* An entry is smaller than PIPE_BUF, so that it arrives as a whole or not at all. */
	if (snprintf(entry.what, sizeof(entry.what), "%s", what) >= (int)sizeof(entry.what) ||
	    snprintf(entry.text, sizeof(entry.text), "%s", text) >= (int)sizeof(entry.text) ||
	    write(to_restorer, &entry, sizeof(entry)) != sizeof(entry))
		gmem_broken("cannot ask the restorer to put back %s", what);
}

void gmem_restore_write(const char *path, const char *text)
{
	gmem_restore_call(write_back, path, text);
}

void gmem_restore_rmdir(const char *path)
{
	gmem_restore_call(remove_dir, path, "");
}

/* Returns the bracketed choice of "always [madvise] never", or else the whole string. */
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
	char present[64];
	int len = __gmem_file_read(path, present, sizeof(present));

	if (len < 0)
		gmem_broken("%s: %s", path, strerror(-len));
	gmem_restore_write(path, chosen(present));
	gmem_file_write(path, value);
}
