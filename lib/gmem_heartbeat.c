// SPDX-License-Identifier: GPL-2.0-only
/* Signs of life of a test that runs for hours. */
#include <limits.h>
#include <stdio.h>
#include <time.h>

#include "gmem_case.h"
#include "gmem_heartbeat.h"
#include "gmem_kernel_memory.h"

#define INTERVAL	10
/* By then all that is allocated once has been. */
#define SETTLED		300
/* Memory comes and goes: the least of so many seconds is what is held. */
#define WINDOW		120

/* KiB by which the kernel's memory may differ from one window to another. */
#define ALLOWED		4096

static time_t began, last;
static __u64 last_moved;
static long peak;

/* The least that the kernel held: in the first window once it settled, in the last one
 * that is over, and in the present one, which began then; LONG_MAX before that.
 */
static long first = LONG_MAX, previous = LONG_MAX, present = LONG_MAX;
static time_t present_since;

static time_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static void next_window(time_t age)
{
	if (first == LONG_MAX)
		first = present;
	previous = present;
	present = LONG_MAX;
	present_since = age;
}

static void look(time_t age, struct gmem_kernel_memory *memory)
{
	gmem_kernel_memory_read(memory);
	if (memory->used > peak)
		peak = memory->used;
	if (age < SETTLED)
		return;
	if (!present_since)
		present_since = age;
	if (memory->kernel < present)
		present = memory->kernel;
	if (age >= present_since + WINDOW)
		next_window(age);
}

void gmem_heartbeat(const struct gmem_tally *tally)
{
	struct gmem_kernel_memory memory;
	time_t age;

	if (!began) {
		began = now();
		last = began;
	}
	age = now() - began;
	look(age, &memory);
	if (now() - last < INTERVAL)
		return;
	fprintf(stderr,
		"# HEARTBEAT %ld s: moved=%llu stayed=%llu control=%llu verified=%llu moves/s=%llu used=%ldK kernel=%ldK slab=%ldK stacks=%ldK tables=%ldK percpu=%ldK rest=%ldK\n",
		(long)age, tally->moved, tally->stayed, tally->control, tally->verified,
		(tally->moved - last_moved) / (now() - last), memory.used, memory.kernel,
		memory.slab, memory.stacks, memory.tables, memory.percpu, memory.rest);
	last = now();
	last_moved = tally->moved;
}

void gmem_heartbeat_summary(const struct gmem_tally *tally)
{
	struct gmem_kernel_memory memory;
	time_t age;

	if (!began)
		return;
	age = now() - began;
	look(age, &memory);
	fprintf(stderr,
		"# SUMMARY %ld s: moved=%llu stayed=%llu control=%llu raced=%llu verified=%llu moves/s=%llu peak=%ldK\n",
		(long)age, tally->moved, tally->stayed, tally->control, tally->raced,
		tally->verified, tally->moved / (age ? age : 1), peak);
	if (previous == LONG_MAX) {
		fprintf(stderr, "# SUMMARY kernel memory: too short to tell whether it grows\n");
		return;
	}
	fprintf(stderr,
		"# SUMMARY kernel memory: %ld K at least in the %d s from %d s on, %ld K in the last %d s, %+ld K\n",
		first, WINDOW, SETTLED, previous, WINDOW, previous - first);
}

void gmem_heartbeat_check_growth(void)
{
	if (previous != LONG_MAX && previous - first > ALLOWED)
		gmem_fail(GMEM_C10,
			  "wanted kernel memory to grow by no more than %d K, got %+ld K, from %ld K to %ld K",
			  ALLOWED, previous - first, first, previous);
}
