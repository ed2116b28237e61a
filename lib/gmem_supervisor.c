// SPDX-License-Identifier: GPL-2.0-only
/* The supervisor: a case has an outcome even if its process cannot end. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "gmem_case.h"
#include "gmem_deadline.h"
#include "gmem_supervisor.h"

/* Seconds for what takes milliseconds, and for a case that is over to end. */
#define PATIENCE 15
#define GRACE 5
/* Milliseconds between two looks. */
#define PERIOD 200

/* What the case tells; shared with it. */
static struct {
	struct gmem_deadline deadline;	/* of what it is doing; end_ns 0: nothing */
	enum gmem_clause clause;
	char doing[96];
	bool ended;
	int status;
} *told;

static pid_t body;		/* in the case's own process */

static bool has_passed(const struct gmem_deadline *deadline)
{
	__u64 end = READ_ONCE(deadline->end_ns);
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return end && now.tv_sec * 1000000000ULL + now.tv_nsec > end;
}

/* Killed or not, the case's process may stay where it is: nobody waits for it. */
__noreturn
static void leave_behind(pid_t child)
{
	kill(child, SIGKILL);
	if (told->ended)
		_exit(told->status);
	if (told->clause)
		gmem_fail(told->clause, "stuck while %s", told->doing);
	gmem_broken("stuck while %s", told->doing);
}

__noreturn
static void supervise(pid_t child)
{
	struct pollfd ended = { .fd = syscall(SYS_pidfd_open, child, 0), .events = POLLIN };
	int status;

	if (ended.fd < 0)
		gmem_broken("pidfd_open: %m");
	while (poll(&ended, 1, PERIOD) <= 0)
		if (has_passed(&told->deadline))
			leave_behind(child);
	if (waitpid(child, &status, 0) != child)
		gmem_broken("waitpid: %m");
	/* The same signal would have our own handler tell of a fault that is not ours. */
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		gmem_broken("killed by %s, of which it could say no more",
			    strsignal(WTERMSIG(status)));
	if (WIFSIGNALED(status))
		kill(getpid(), WTERMSIG(status));
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

void gmem_supervisor_begin(void)
{
	pid_t child;

	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		    -1, 0);
	if (told == MAP_FAILED)
		gmem_broken("out of memory");
	fflush(NULL);
	child = fork();
	if (child < 0)
		gmem_broken("fork: %m");
	if (child)
		supervise(child);
	body = getpid();
	/* Whoever kills the supervisor means the case. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

void gmem_supervisor_end(int status)
{
	if (getpid() != body)
		return;
	told->status = status;
	told->ended = true;
	told->deadline = gmem_deadline_in(GRACE);
}

static bool is_first_thread(void)
{
	return body && syscall(SYS_gettid) == body;
}

void gmem_busy(enum gmem_clause clause, const char *doing)
{
	if (!is_first_thread() || told->ended)
		return;
	told->clause = clause;
	snprintf(told->doing, sizeof(told->doing), "%s", doing);
	told->deadline = gmem_deadline_in(PATIENCE);
}

void gmem_idle(void)
{
	if (is_first_thread() && !told->ended)
		WRITE_ONCE(told->deadline.end_ns, 0);
}
