// SPDX-License-Identifier: GPL-2.0-only
/* stress-ng as background load beside a test. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "kselftest.h"

#include "case/gmem_deadline.h"
#include "case/gmem_restore.h"
#include "case/gmem_result.h"
#include "case/gmem_stop.h"
#include "mm/gmem_stress_ng.h"

#define MEMORY	"/sys/devices/system/memory"
#define STRESS_NG "stress-ng"

/* Seconds for stress-ng to end by itself after SIGTERM. */
#define TERM_TIMEOUT_S 5

/*
 * The stressors, one worker of each, and their bounds on memory.  None of them poisons memory,
 * or takes more memory on a machine that has more.
 */
static const struct {
	const char *name, *option, *value;
	bool blocks;		/* takes memory blocks offline */
} stressors[] = {
	{ "vm", "--vm-bytes", "16m" },
	{ "numa" },
	{ "fork" },
	{ "pipe" },
	{ "hdd", "--hdd-bytes", "8m" },
	{ "memfd", "--memfd-bytes", "8m" },
	{ "memhotplug", .blocks = true },
};

/* The leader of the process group of stress-ng, or 0. */
static pid_t stress_ng;

/* Bind-mounts the directory @fd of block @id to its old path, which is in a tmpfs now. */
static int mount_block(int fd, long id)
{
	char from[32], to[64];

	snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	snprintf(to, sizeof(to), MEMORY "/memory%ld", id);
	if (mkdir(to, 0755) || mount(from, to, NULL, MS_BIND, NULL))
		return -errno;
	return 0;
}

/* Covers the directory of memory blocks by one that has only the blocks @ids. */
static int mount_blocks(const int *fds, const long *ids, size_t count)
{
	int err = 0;

	if (mount("none", MEMORY, "tmpfs", 0, NULL))
		return -errno;
	for (size_t i = 0; i < count && !err; i++)
		err = mount_block(fds[i], ids[i]);
	return err;
}

/*
 * Hides all memory blocks but the @count blocks @ids from this process and its children, in a
 * mount namespace of its own.  Returns 0 or -errno.
 */
static int hide_other_blocks(const long *ids, size_t count)
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
		err = mount_blocks(fds, ids, count);
	while (opened--)
		close(fds[opened]);
	return err;
}

/*
 * Reads the names of the stressors that the installed stress-ng has, in one line with a space
 * around each name.  Returns false if there is no stress-ng.
 */
static bool read_stressors(char *names, size_t size)
{
	FILE *pipe = popen(STRESS_NG " --stressors 2> /dev/null", "re");
	size_t len;

	if (!pipe)
		return false;
	names[0] = ' ';
	len = fread(names + 1, 1, size - 3, pipe) + 1;
	pclose(pipe);
	names[len] = '\0';
	names[strcspn(names, "\n")] = ' ';
	return len > 1;
}

static bool has(const char *names, const char *name)
{
	char needle[32];

	snprintf(needle, sizeof(needle), " %s ", name);
	return strstr(names, needle);
}

enum gmem_skip_reason gmem_stress_ng_missing(void)
{
	char names[8192];

	return read_stressors(names, sizeof(names)) ? GMEM_SKIP_none : GMEM_SKIP_no_stress_ng;
}

/*
 * Writes the command line to @word, with stressors that need memory blocks only if @blocks.
 * Its words are never freed, as the case ends soon after.
 */
static void build_command(const char **word, bool blocks)
{
	char names[8192], *option;
	int count = 0;

	if (!read_stressors(names, sizeof(names)))
		gmem_skip_if(GMEM_SKIP_no_stress_ng);
	*word++ = STRESS_NG;
	for (int i = 0; i < ARRAY_SIZE(stressors); i++) {
		if (!has(names, stressors[i].name) || (stressors[i].blocks && !blocks))
			continue;
		if (asprintf(&option, "--%s", stressors[i].name) < 0)
			gmem_broken("out of memory");
		*word++ = option;
		*word++ = "1";
		if (stressors[i].option) {
			*word++ = stressors[i].option;
			*word++ = stressors[i].value;
		}
		count++;
	}
	if (!count)
		gmem_skip(GMEM_SKIP_no_stress_ng, "stress-ng has none of our stressors");
	*word++ = "--timeout";
	*word++ = "0";
	*word++ = "--temp-path";
	*word++ = "/tmp";
	*word++ = "--oomable";
	*word = NULL;
}

/*
 * Becomes stress-ng, in a process group of its own.  Its output is /dev/null, so that whoever
 * reads the output of the test does not wait for stress-ng to close it.
 */
__noreturn
static void run(const char **command, const long *blocks, size_t nblocks)
{
	int null = open("/dev/null", O_RDWR);

	setpgid(0, 0);
	gmem_stop_forget();
	/* Like the vCPUs, stress-ng yields to the kernel threads under test. */
	if (setpriority(PRIO_PROCESS, 0, 19) || null < 0 || dup2(null, 0) < 0 ||
	    dup2(null, 1) < 0 || dup2(null, 2) < 0 ||
	    (nblocks && hide_other_blocks(blocks, nblocks)))
		_exit(126);
	execvp(command[0], (char * const *)command);
	_exit(127);
}

/*
 * Returns true once no process of @group is left.  waitpid(2) cannot tell, because the children
 * of stress-ng are not ours; after SIGKILL they may be in the kernel for a while.
 */
static bool is_gone(pid_t group)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_SLOW_TIMEOUT_S);

	while (!kill(-group, 0))
		if (!gmem_deadline_poll(&deadline))
			return false;
	return true;
}

/* Kills the group at the end of a case, before it can change what is restored next. */
static void kill_group(const char *number, const char *text)
{
	kill(-atoi(number), SIGKILL);
	if (!is_gone(atoi(number)))
		fprintf(stderr, "# putting back: stress-ng cannot be killed\n");
}

void gmem_stress_ng_start(const long *blocks, size_t nblocks)
{
	const char *command[4 * ARRAY_SIZE(stressors) + 8];
	char number[16];

	build_command(command, nblocks);
	stress_ng = fork();
	if (stress_ng < 0)
		gmem_broken("fork: %m");
	if (!stress_ng)
		run(command, blocks, nblocks);
	setpgid(stress_ng, stress_ng);
	snprintf(number, sizeof(number), "%d", stress_ng);
	gmem_restore_call(kill_group, number, "");
}

/* This does not reap the leader, so that nobody else gets its pid before the group is killed. */
bool gmem_stress_ng_lasts(void)
{
	siginfo_t info = {};

	return !waitid(P_PID, stress_ng, &info, WEXITED | WNOHANG | WNOWAIT) && !info.si_pid;
}

void gmem_stress_ng_stop(void)
{
	struct gmem_deadline deadline = gmem_deadline_in(TERM_TIMEOUT_S);

	if (!stress_ng)
		return;
	/* After SIGTERM stress-ng removes its files, for which it gets some time. */
	kill(stress_ng, SIGTERM);
	while (gmem_stress_ng_lasts() && gmem_deadline_poll(&deadline))
		;
	kill(-stress_ng, SIGKILL);
	waitpid(stress_ng, NULL, 0);
	if (!is_gone(stress_ng))
		gmem_broken("stress-ng cannot be killed");
	stress_ng = 0;
}
