// SPDX-License-Identifier: GPL-2.0-only
/* Signs of life of a test that runs for hours. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "kselftest.h"

#include "gmem_case.h"
#include "gmem_heartbeat.h"

#define INTERVAL	10
/* By then all that is allocated once has been. */
#define SETTLED		300

enum {
	TOTAL,
	AVAILABLE,
	SLAB,
	STACKS,
	TABLES,
	NFIELDS,
};

static const char * const fields[NFIELDS] = {
	[TOTAL] = "MemTotal:",
	[AVAILABLE] = "MemAvailable:",
	[SLAB] = "Slab:",
	[STACKS] = "KernelStack:",
	[TABLES] = "PageTables:",
};

static time_t began, last;
static __u64 last_moved;
static long settled[NFIELDS], peak;
static time_t settled_at;

static time_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* In KiB. */
static void read_memory(long *memory)
{
	char line[128], name[32];
	FILE *file;
	long kib;

	memset(memory, 0, NFIELDS * sizeof(*memory));
	file = fopen("/proc/meminfo", "re");
	if (!file)
		gmem_broken("/proc/meminfo: %m");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%31s %ld", name, &kib) != 2)
			continue;
		for (int i = 0; i < NFIELDS; i++)
			if (!strcmp(name, fields[i]))
				memory[i] = kib;
	}
	fclose(file);
	if (memory[TOTAL] - memory[AVAILABLE] > peak)
		peak = memory[TOTAL] - memory[AVAILABLE];
}

/* What is compared with the end: as it was after SETTLED seconds, or at first. */
static void settle(time_t age)
{
	if (settled_at >= SETTLED)
		return;
	if (settled[TOTAL] && age < SETTLED)
		return;
	read_memory(settled);
	settled_at = age;
}

void gmem_heartbeat(const struct gmem_tally *tally)
{
	long memory[NFIELDS];
	time_t age;

	if (!began) {
		began = now();
		last = began;
	}
	age = now() - began;
	settle(age);
	if (now() - last < INTERVAL)
		return;
	read_memory(memory);
	fprintf(stderr,
		"# HEARTBEAT %ld s: moved=%llu stayed=%llu control=%llu verified=%llu moves/s=%llu slab=%ldK stacks=%ldK tables=%ldK\n",
		(long)age, tally->moved, tally->stayed, tally->control, tally->verified,
		(tally->moved - last_moved) / (now() - last), memory[SLAB], memory[STACKS],
		memory[TABLES]);
	last = now();
	last_moved = tally->moved;
}

void gmem_heartbeat_summary(const struct gmem_tally *tally)
{
	long memory[NFIELDS];
	time_t age;

	if (!began)
		return;
	age = now() - began;
	read_memory(memory);
	fprintf(stderr,
		"# SUMMARY %ld s: moved=%llu stayed=%llu control=%llu raced=%llu verified=%llu moves/s=%llu peak=%ldK\n",
		(long)age, tally->moved, tally->stayed, tally->control, tally->raced,
		tally->verified, tally->moved / (age ? age : 1), peak);
	for (int i = SLAB; i < NFIELDS; i++)
		fprintf(stderr, "# SUMMARY %s %ld K at %ld s, %ld K at the end, %+ld K\n",
			fields[i], settled[i], (long)settled_at, memory[i],
			memory[i] - settled[i]);
}
