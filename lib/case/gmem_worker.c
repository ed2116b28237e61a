// SPDX-License-Identifier: GPL-2.0-only
/* Workers: threads that each repeat one thing, to race with each other. */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <linux/compiler.h>

#include "case/gmem_alloc.h"
#include "case/gmem_deadline.h"
#include "case/gmem_result.h"
#include "case/gmem_worker.h"

struct gmem_worker {
	pthread_t thread;
	const char *doing;
	void (*once)(void *arg);
	void *arg;
	bool stop;
	bool ended;
	u64 rounds;
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
	struct gmem_worker *worker = gmem_zalloc(1, sizeof(*worker));

	worker->doing = doing;
	worker->once = once;
	worker->arg = arg;
	if (pthread_create(&worker->thread, NULL, work, worker))
		gmem_broken("pthread_create: %m");
	return worker;
}

u64 gmem_worker_rounds(const struct gmem_worker *worker)
{
	return READ_ONCE(worker->rounds);
}

static void fail_stuck(const struct gmem_location *at, const struct gmem_worker *worker)
{
	gmem_fail_at(at, GMEM_LIFECYCLE, "stuck while %s, after %lu rounds", worker->doing,
		     gmem_worker_rounds(worker));
}

void gmem_worker_wait_at(const struct gmem_location *at, struct gmem_worker *worker, u64 rounds)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_TIMEOUT_S);

	while (gmem_worker_rounds(worker) < rounds)
		if (!gmem_deadline_poll(&deadline))
			fail_stuck(at, worker);
}

void gmem_worker_stop_at(const struct gmem_location *at, struct gmem_worker *worker)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_TIMEOUT_S);

	if (!worker)
		return;
	WRITE_ONCE(worker->stop, true);
	while (!READ_ONCE(worker->ended))
		if (!gmem_deadline_poll(&deadline))
			fail_stuck(at, worker);
	pthread_join(worker->thread, NULL);
	free(worker);
}
