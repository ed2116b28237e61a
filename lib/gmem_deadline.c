// SPDX-License-Identifier: GPL-2.0-only
/* Bounds on waiting, to catch hangs and nothing else. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "gmem_deadline.h"

static __u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

struct gmem_deadline gmem_deadline_in(unsigned int seconds)
{
	unsigned int scale = getenv("KSFT_MACHINE_SLOW") ? 4 : 1;

	return (struct gmem_deadline){ now_ns() + seconds * scale * 1000000000ULL };
}

bool gmem_deadline_poll(const struct gmem_deadline *deadline)
{
	/* Short against a migration (0.1 ms), long against a system call. */
	usleep(50);
	return now_ns() < deadline->end_ns;
}
