// SPDX-License-Identifier: GPL-2.0-only
/* Takes a memory block offline, which the kernel may try for ever. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

#include "case/gmem_child.h"
#include "case/gmem_deadline.h"
#include "case/gmem_file.h"
#include "case/gmem_result.h"
#include "mm/gmem_block.h"

/* After so many failures to migrate a page, a block that nothing keeps online stays online. */
#define MAX_FAILURES 100000

u64 gmem_block_failures(void)
{
	unsigned long count;
	bool found = false;
	char line[128];
	FILE *file;

	file = fopen("/proc/vmstat", "re");
	if (!file)
		gmem_broken("/proc/vmstat: %m");
	while (!found && fgets(line, sizeof(line), file))
		found = sscanf(line, "pgmigrate_fail %lu", &count) == 1;
	fclose(file);
	if (!found)
		gmem_broken("/proc/vmstat has no pgmigrate_fail");
	return count;
}

/* Does nothing, but a signal that has a handler interrupts a system call. */
static void interrupt(int signo)
{
}

/* Starts a child that writes to the block's state, and exits with the errno of that. */
static pid_t start_offline(long id)
{
	/* Without SA_RESTART, so that the write ends with EINTR. */
	struct sigaction action = { .sa_handler = interrupt };
	char path[64];
	pid_t child;

	snprintf(path, sizeof(path), "/sys/devices/system/memory/memory%ld/state", id);
	child = fork();
	if (child < 0)
		gmem_broken("fork: %m");
	if (!child) {
		sigaction(SIGUSR1, &action, NULL);
		_exit(-__gmem_file_write(path, "offline"));
	}
	return child;
}

/*
 * Sends the signal until the child ends, as one that arrives before the write interrupts
 * nothing.  Returns false if the child does not end.
 */
static bool end_by_signal(pid_t child, int *status)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_TIMEOUT_S);

	do {
		kill(child, SIGUSR1);
		if (gmem_child_ended(child, status))
			return true;
	} while (gmem_deadline_poll(&deadline));
	kill(child, SIGKILL);
	return false;
}

int __gmem_block_offline(long id, u64 attempts)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_TIMEOUT_S);
	u64 limit = gmem_block_failures() + attempts;
	pid_t child = start_offline(id);
	int status;

	for (int poll = 1; !gmem_child_ended(child, &status); poll++) {
		/* Reading /proc/vmstat is slow compared to waitpid(2), so it is done less often. */
		if ((poll % 16 || gmem_block_failures() < limit) && gmem_deadline_poll(&deadline))
			continue;
		if (!end_by_signal(child, &status))
			return -ETIME;
		break;
	}
	if (!WIFEXITED(status))
		gmem_broken("the child that took block %ld offline died of signal %d", id,
			    WTERMSIG(status));
	return -WEXITSTATUS(status);
}

void gmem_block_offline(long id)
{
	int err = __gmem_block_offline(id, MAX_FAILURES);

	if (err)
		gmem_broken("taking block %ld offline: %s", id, strerror(-err));
}
