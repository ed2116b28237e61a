// SPDX-License-Identifier: GPL-2.0-only
/* Workers: threads that do one thing over and over, against each other. */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <linux/compiler.h>

#include "gmem_case.h"
#include "gmem_deadline.h"
#include "gmem_worker.h"

/* Seconds in which anything must get done. */
#define PATIENCE 15

struct gmem_worker {
	pthread_t thread;
	const char *doing;
	void (*once)(void *arg);
	void *arg;
	bool stop;
	bool ended;
	__u64 rounds;
};

static void *work(void *arg)
{
	struct gmem_worker *worker = arg;

	while (!READ_ONCE(worker->stop)) {
		worker->once(worker->arg);
		WRITE_ONCE(worker->rounds, worker->rounds + 1);
	}
	WRITE_ONCE(worker->ended, true);
	return NULL;
}

struct gmem_worker *gmem_worker_start(const char *doing, void (*once)(void *arg), void *arg)
{
	struct gmem_worker *worker = calloc(1, sizeof(*worker));

	if (!worker)
		gmem_broken("out of memory");
	worker->doing = doing;
	worker->once = once;
	worker->arg = arg;
	if (pthread_create(&worker->thread, NULL, work, worker))
		gmem_broken("pthread_create: %m");
	return worker;
}

__u64 gmem_worker_rounds(const struct gmem_worker *worker)
{
	return READ_ONCE(worker->rounds);
}

static void fail(const struct gmem_worker *worker)
{
	gmem_fail(GMEM_C11, "stuck while %s, after %llu times", worker->doing,
		  (unsigned long long)gmem_worker_rounds(worker));
}

void gmem_worker_wait(struct gmem_worker *worker, __u64 rounds)
{
	struct gmem_deadline deadline = gmem_deadline_in(PATIENCE);

	while (gmem_worker_rounds(worker) < rounds)
		if (!gmem_deadline_poll(&deadline))
			fail(worker);
}

void gmem_worker_stop(struct gmem_worker *worker)
{
	struct gmem_deadline deadline = gmem_deadline_in(PATIENCE);

	if (!worker)
		return;
	WRITE_ONCE(worker->stop, true);
	while (!READ_ONCE(worker->ended))
		if (!gmem_deadline_poll(&deadline))
			fail(worker);
	pthread_join(worker->thread, NULL);
	free(worker);
}
