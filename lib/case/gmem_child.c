// SPDX-License-Identifier: GPL-2.0-only
/* Child processes whose parent waits with a deadline. */
#include <signal.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "case/gmem_child.h"
#include "case/gmem_deadline.h"
#include "case/gmem_result.h"

pid_t gmem_child_start(void (*run)(void *arg), void *arg)
{
	pid_t child = fork();

	if (child < 0)
		gmem_broken("fork: %m");
	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	run(arg);
	_exit(0);
}

bool gmem_child_ended(pid_t child, int *status)
{
	pid_t ended = waitpid(child, status, WNOHANG);

	if (ended < 0)
		gmem_broken("waitpid: %m");
	return ended == child;
}

int gmem_child_wait_at(const struct gmem_location *at, pid_t child, enum gmem_clause clause,
		       const char *doing)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_TIMEOUT_S);
	int status;

	while (!gmem_child_ended(child, &status))
		if (!gmem_deadline_poll(&deadline))
			gmem_fail_at(at, clause, "stuck while %s", doing);
	return status;
}

int gmem_child_fd(pid_t child, int fd)
{
	int pidfd = syscall(SYS_pidfd_open, child, 0);
	int duplicate;

	if (pidfd < 0)
		gmem_broken("pidfd_open: %m");
	duplicate = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	if (duplicate < 0)
		gmem_broken("pidfd_getfd: %m");
	close(pidfd);
	return duplicate;
}
