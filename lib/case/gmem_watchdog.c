// SPDX-License-Identifier: GPL-2.0-only
/* The watchdog: a case has an outcome even if its process cannot end. */
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "case/gmem_deadline.h"
#include "case/gmem_watchdog.h"

/* Seconds that a case whose outcome is known gets to end by itself. */
#define EXIT_TIMEOUT_S 5
/* Milliseconds between two looks at the deadline. */
#define PERIOD_MS 200

/* The child writes here what it does; the parent, which shares the memory, reads it. */
static struct {
	struct gmem_deadline deadline;	/* its end_ns is 0 while the watchdog is disarmed */
	enum gmem_clause clause;
	struct gmem_location at;	/* both processes have the strings at one address */
	char doing[96];
	bool ended;
	int status;
} *shared;

static pid_t case_pid;

static bool has_passed(const struct gmem_deadline *deadline)
{
	u64 end = READ_ONCE(deadline->end_ns);
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return end && now.tv_sec * 1000000000ULL + now.tv_nsec > end;
}

/* Reports the outcome without waiting for the child, which may not end even if killed. */
__noreturn
static void abandon(pid_t child)
{
	kill(child, SIGKILL);
	if (shared->ended)
		_exit(shared->status);
	if (shared->clause)
		gmem_fail_at(&shared->at, shared->clause, "stuck while %s", shared->doing);
	gmem_broken_at(&shared->at, "stuck while %s", shared->doing);
}

__noreturn
static void supervise(pid_t child)
{
	struct pollfd ended = { .fd = syscall(SYS_pidfd_open, child, 0), .events = POLLIN };
	int status;

	if (ended.fd < 0)
		gmem_broken("pidfd_open: %m");
	while (poll(&ended, 1, PERIOD_MS) <= 0)
		if (has_passed(&shared->deadline))
			abandon(child);
	if (waitpid(child, &status, 0) != child)
		gmem_broken("waitpid: %m");
	/* Raising the same signal here would run our handler, which reports the wrong fault. */
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		gmem_broken("killed by %s before it could report that itself",
			    strsignal(WTERMSIG(status)));
	if (WIFSIGNALED(status))
		kill(getpid(), WTERMSIG(status));
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

/* Notes the exit status, and gives the process a moment to end by itself. */
static void note_exit(int status)
{
	if (getpid() != case_pid)
		return;
	shared->status = status;
	shared->ended = true;
	shared->deadline = gmem_deadline_in(EXIT_TIMEOUT_S);
}

void gmem_watchdog_begin(void)
{
	pid_t child;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		gmem_broken("out of memory");
	fflush(NULL);
	child = fork();
	if (child < 0)
		gmem_broken("fork: %m");
	if (child)
		supervise(child);
	case_pid = getpid();
	gmem_result_on_exit(note_exit);
	/* Whoever kills the parent, such as the harness, wants to end the case. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static bool is_first_thread(void)
{
	return case_pid && syscall(SYS_gettid) == case_pid;
}

void gmem_watchdog_arm_at(const struct gmem_location *at, enum gmem_clause clause,
			  const char *doing)
{
	if (!is_first_thread() || shared->ended)
		return;
	shared->clause = clause;
	shared->at = *at;
	snprintf(shared->doing, sizeof(shared->doing), "%s", doing);
	shared->deadline = gmem_deadline_in(GMEM_TIMEOUT_S);
}

void gmem_watchdog_disarm(void)
{
	if (is_first_thread() && !shared->ended)
		WRITE_ONCE(shared->deadline.end_ns, 0);
}
