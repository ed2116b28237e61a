// SPDX-License-Identifier: GPL-2.0-only
/* Noise: stress-ng beside a test. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
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

static int show_opened(const int *fds, const long *ids, size_t count)
{
	int err = 0;

	if (mount("none", MEMORY, "tmpfs", 0, NULL))
		return -errno;
	for (size_t i = 0; i < count && !err; i++)
		err = show(fds[i], ids[i]);
	return err;
}

/*
 * Has this process, and whoever it starts, see the @count memory blocks @ids alone, in a mount
 * namespace of its own.  Returns 0 or -errno.
 */
static int show_blocks(const long *ids, size_t count)
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
		err = show_opened(fds, ids, count);
	while (opened--)
		close(fds[opened]);
	return err;
}

#define STRESS_NG "stress-ng"

/* Seconds for it to end by itself, and for what was killed to be gone. */
#define COURTESY 5
/* A stressor, of which one worker is started, and its bound on memory.  None of them
 * poisons memory, or takes more the more there is.
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

static pid_t noise;

/* Names of the stressors that this one has, in one line, with a space around each;
 * false if there is no stress-ng.
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

/* The command line; its words are never freed. */
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

/* In a process group of its own; whoever reads what we print does not wait for it. */
__noreturn
static void run(const char **command, const long *blocks, size_t nblocks)
{
	int null = open("/dev/null", O_RDWR);

	setpgid(0, 0);
	gmem_stop_forget();
	/* Like the vCPUs: what is under test is the kernel, which comes first. */
	if (setpriority(PRIO_PROCESS, 0, 19) || null < 0 || dup2(null, 0) < 0 ||
	    dup2(null, 1) < 0 || dup2(null, 2) < 0 ||
	    (nblocks && show_blocks(blocks, nblocks)))
		_exit(126);
	execvp(command[0], (char * const *)command);
	_exit(127);
}

/* Its children are not ours to wait for, and may be busy in the kernel. */
static bool is_gone(pid_t group)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_SLOW_TIMEOUT_S);

	while (!kill(-group, 0))
		if (!gmem_deadline_poll(&deadline))
			return false;
	return true;
}

/* What is put back next it must not change again. */
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
	noise = fork();
	if (noise < 0)
		gmem_broken("fork: %m");
	if (!noise)
		run(command, blocks, nblocks);
	setpgid(noise, noise);
	snprintf(number, sizeof(number), "%d", noise);
	gmem_restore_call(kill_group, number, "");
}

/* Not reaped before the group is killed: its number stays ours. */
bool gmem_stress_ng_lasts(void)
{
	siginfo_t info = {};

	return !waitid(P_PID, noise, &info, WEXITED | WNOHANG | WNOWAIT) && !info.si_pid;
}

void gmem_stress_ng_stop(void)
{
	struct gmem_deadline deadline = gmem_deadline_in(COURTESY);

	if (!noise)
		return;
	/* It removes its files if it is asked to end, and given the time. */
	kill(noise, SIGTERM);
	while (gmem_stress_ng_lasts() && gmem_deadline_poll(&deadline))
		;
	kill(-noise, SIGKILL);
	waitpid(noise, NULL, 0);
	if (!is_gone(noise))
		gmem_broken("stress-ng cannot be killed");
	noise = 0;
}
