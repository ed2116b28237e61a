// SPDX-License-Identifier: GPL-2.0-only
/* Deadlines, which bound waiting. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "case/gmem_deadline.h"
#include "case/gmem_result.h"

/* A deadline that is stretched further than this catches no hang. */
#define MAX_SCALE 1000

static u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* Returns how many times as long as usual this machine may take. */
static unsigned int scale(void)
{
	const char *given = getenv("GMEM_SCALE");
	unsigned long factor;
	char *end;

	if (!given)
		return getenv("KSFT_MACHINE_SLOW") ? 4 : 1;
	factor = strtoul(given, &end, 10);
	if (!factor || factor > MAX_SCALE || *end)
		gmem_broken("GMEM_SCALE=%s is not a number from 1 to %d", given, MAX_SCALE);
	return factor;
}

struct gmem_deadline gmem_deadline_in(unsigned int seconds)
{
	return (struct gmem_deadline){ .end_ns = now_ns() + seconds * scale() * 1000000000ULL };
}

/*
 * The first waits are shorter than a migration (100 us), but longer than a system call.  The
 * last ones are shorter than a period of the kernel's scanning threads (10 ms), but longer
 * than reading every pfn.
 */
#define SHORTEST_WAIT_US	50
#define LONGEST_WAIT_US		1600
/* The wait doubles after this number of polls. */
#define POLLS_PER_WAIT		8

bool gmem_deadline_poll(struct gmem_deadline *deadline)
{
	unsigned int polls = deadline->polls++, wait_us = SHORTEST_WAIT_US;

	for (; polls >= POLLS_PER_WAIT && wait_us < LONGEST_WAIT_US; polls -= POLLS_PER_WAIT)
		wait_us *= 2;
	usleep(wait_us);
	return now_ns() < deadline->end_ns;
}
