// SPDX-License-Identifier: GPL-2.0-only
/* Bounds on waiting, to catch hangs and nothing else. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "case/gmem_deadline.h"
#include "case/gmem_result.h"

/* A bound that is stretched more catches nothing. */
#define MOST 1000

static u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* How many times as long as usual a machine may take. */
static unsigned int scale(void)
{
	const char *given = getenv("GMEM_SCALE");
	unsigned long factor;
	char *end;

	if (!given)
		return getenv("KSFT_MACHINE_SLOW") ? 4 : 1;
	factor = strtoul(given, &end, 10);
	if (!factor || factor > MOST || *end)
		gmem_broken("GMEM_SCALE=%s is not a number from 1 to %d", given, MOST);
	return factor;
}

struct gmem_deadline gmem_deadline_in(unsigned int seconds)
{
	return (struct gmem_deadline){ .end_ns = now_ns() + seconds * scale() * 1000000000ULL };
}

/* In microseconds: short against a migration (0.1 ms), long against a system call; and
 * in the end short against a scan of the kernel's threads (10 ms), long against a look
 * at every frame.
 */
#define SHORTEST	50
#define LONGEST		1600
/* Polls until twice as long is waited. */
#define PATIENT		8

bool gmem_deadline_poll(struct gmem_deadline *deadline)
{
	unsigned int wait = SHORTEST;

	for (unsigned int polls = deadline->polls++; polls >= PATIENT && wait < LONGEST;
	     polls -= PATIENT)
		wait *= 2;
	usleep(wait);
	return now_ns() < deadline->end_ns;
}
