// SPDX-License-Identifier: GPL-2.0-only
/* Lets a signal end a test in order, so that it reports an outcome. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <linux/compiler.h>
#include <sys/mman.h>

#include "case/gmem_stop.h"

/* Forked processes share this, because the signal may reach any of them. */
static bool *wanted;

static void both_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
}

static void *wait_for_signal(void *arg)
{
	sigset_t set;
	int number;

	both_signals(&set);
	if (!sigwait(&set, &number))
		WRITE_ONCE(*wanted, true);
	return NULL;
}

void gmem_stop_begin(void)
{
	pthread_t thread;
	sigset_t set;

	wanted = mmap(NULL, sizeof(*wanted), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	both_signals(&set);
	if (wanted == MAP_FAILED || pthread_sigmask(SIG_BLOCK, &set, NULL) ||
	    pthread_create(&thread, NULL, wait_for_signal, NULL)) {
		perror("# gmem_stop");
		exit(1);
	}
}

/* No thread waits in a forked process, so that a signal which reaches that stays pending. */
bool gmem_stop_wanted(void)
{
	sigset_t set;

	if (!wanted)
		return false;
	sigpending(&set);
	return READ_ONCE(*wanted) || sigismember(&set, SIGINT) == 1 ||
	       sigismember(&set, SIGTERM) == 1;
}

void gmem_stop_forget(void)
{
	sigset_t set;

	both_signals(&set);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
