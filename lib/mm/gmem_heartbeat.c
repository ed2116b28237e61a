// SPDX-License-Identifier: GPL-2.0-only
/* Signs of life from a test that runs for hours. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <linux/types.h>

#include "kselftest.h"

#include "case/gmem_case.h"
#include "case/gmem_result.h"
#include "mm/gmem_heartbeat.h"

/* The number of seconds between two lines. */
#define INTERVAL	10
/* After so many seconds, the kernel has allocated what it allocates only once. */
#define SETTLED		300
/* Memory comes and goes, so the least of so many seconds is what the kernel holds. */
#define WINDOW		120
/* The kernel's memory may grow by so many KiB from the first window to the last. */
#define ALLOWED		4096

/* Ages and times are in seconds; the others are in KiB. */
static time_t began, last;
static u64 last_moved;
static long peak;

/*
 * The least memory that the kernel held in the first window, in the last window that is over,
 * and in the present one, which began at the age @present_since.  LONG_MAX means that there
 * was no such window yet.
 */
static long first = LONG_MAX, previous = LONG_MAX, present = LONG_MAX;
static time_t present_since;

/* The memory that the kernel uses for itself, from /proc/meminfo, in KiB. */
struct kernel_memory {
	long used;		/* all memory that is not available */
	long kernel;		/* neither free, nor page cache, anonymous or huge pages */
	long slab, stacks, tables, percpu;	/* parts of @kernel */
	long rest;		/* what remains of @kernel, free lists of CPUs included */
};

enum {
	TOTAL, FREE, AVAILABLE,
	BUFFERS, CACHED, ANON, HUGETLB,
	SLAB, STACKS, TABLES, SECONDARY, PERCPU,
};

/* Pages of guest_memfd count as page cache. */
static const char * const fields[] = {
	[TOTAL] = "MemTotal:",
	[FREE] = "MemFree:",
	[AVAILABLE] = "MemAvailable:",
	[BUFFERS] = "Buffers:",
	[CACHED] = "Cached:",
	[ANON] = "AnonPages:",
	[HUGETLB] = "Hugetlb:",
	[SLAB] = "Slab:",
	[STACKS] = "KernelStack:",
	[TABLES] = "PageTables:",
	[SECONDARY] = "SecPageTables:",
	[PERCPU] = "Percpu:",
};

static void read_kernel_memory(struct kernel_memory *memory)
{
	long value[ARRAY_SIZE(fields)] = {}, kib;
	char line[128], name[32];
	FILE *file;

	file = fopen("/proc/meminfo", "re");
	if (!file)
		gmem_broken("/proc/meminfo: %m");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%31s %ld", name, &kib) != 2)
			continue;
		for (int i = 0; i < ARRAY_SIZE(fields); i++)
			if (!strcmp(name, fields[i]))
				value[i] = kib;
	}
	fclose(file);
	memory->used = value[TOTAL] - value[AVAILABLE];
	memory->kernel = value[TOTAL] - value[FREE] - value[BUFFERS] - value[CACHED] -
			 value[ANON] - value[HUGETLB];
	memory->slab = value[SLAB];
	memory->stacks = value[STACKS];
	memory->tables = value[TABLES] + value[SECONDARY];
	memory->percpu = value[PERCPU];
	memory->rest = memory->kernel - memory->slab - memory->stacks - memory->tables -
		       memory->percpu;
}

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

/* Reads @memory at @age, and updates the peak and the windows. */
static void sample(time_t age, struct kernel_memory *memory)
{
	read_kernel_memory(memory);
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
	struct kernel_memory memory;
	time_t age;

	if (!began) {
		began = now();
		last = began;
	}
	age = now() - began;
	sample(age, &memory);
	if (now() - last < INTERVAL)
		return;
	fprintf(stderr,
		"# HEARTBEAT %ld s: moved=%lu stayed=%lu control=%lu verified=%lu moves/s=%lu used=%ldK kernel=%ldK slab=%ldK stacks=%ldK tables=%ldK percpu=%ldK rest=%ldK\n",
		(long)age, tally->moved, tally->stayed, tally->control, tally->verified,
		(tally->moved - last_moved) / (now() - last), memory.used, memory.kernel,
		memory.slab, memory.stacks, memory.tables, memory.percpu, memory.rest);
	last = now();
	last_moved = tally->moved;
}

void gmem_heartbeat_summary(const struct gmem_tally *tally)
{
	struct kernel_memory memory;
	time_t age;

	if (!began)
		return;
	age = now() - began;
	sample(age, &memory);
	fprintf(stderr,
		"# SUMMARY %ld s: moved=%lu stayed=%lu control=%lu raced=%lu verified=%lu moves/s=%lu peak=%ldK\n",
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
		gmem_fail(GMEM_ACCOUNTING,
			  "wanted kernel memory to grow by no more than %d K, got %+ld K, from %ld K to %ld K",
			  ALLOWED, previous - first, first, previous);
}
