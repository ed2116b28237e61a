// SPDX-License-Identifier: GPL-2.0-only
/* Provokes NUMA balancing. */
#include <pthread.h>
#include <stdio.h>
#include <linux/compiler.h>
#include <linux/types.h>

#include "case/gmem_deadline.h"
#include "case/gmem_file.h"
#include "case/gmem_restore.h"
#include "case/gmem_result.h"
#include "mm/gmem_balancing.h"
#include "mm/gmem_numa.h"

#define BALANCING	"/proc/sys/kernel/numa_balancing"
#define KNOBS		"/sys/kernel/debug/sched/numa_balancing"

struct reader {
	int node;
	void (*touch)(void *arg);
	void *arg;
	bool stop;
	u64 rounds;		/* how often @touch has returned */
};

enum gmem_skip_reason gmem_balancing_missing(void)
{
	if (gmem_numa_missing() != GMEM_SKIP_none)
		return gmem_numa_missing();
	if (!gmem_file_exists(BALANCING) || !gmem_file_exists(KNOBS "/scan_delay_ms") ||
	    !gmem_numa_has_cpus(gmem_numa_node(1)))
		return GMEM_SKIP_no_numa_balancing;
	return GMEM_SKIP_none;
}

void gmem_balancing_hurry(void)
{
	gmem_sysctl_set(KNOBS "/scan_delay_ms", "1");
	gmem_sysctl_set(KNOBS "/scan_period_min_ms", "10");
	gmem_sysctl_set(KNOBS "/scan_period_max_ms", "20");
	/* The kernel scans at most 2560 MB a second, so smaller steps can be more frequent. */
	gmem_sysctl_set(KNOBS "/scan_size_mb", "16");
}

static void *read_remotely(void *arg)
{
	struct reader *reader = arg;

	gmem_numa_run_on(reader->node);
	while (!READ_ONCE(reader->stop)) {
		reader->touch(reader->arg);
		WRITE_ONCE(reader->rounds, reader->rounds + 1);
	}
	return NULL;
}

/* Returns how many scans of this process's address space the kernel has completed. */
static unsigned int scans_so_far(void)
{
	unsigned int scans;
	char line[128];
	FILE *file;

	file = fopen("/proc/self/sched", "re");
	if (!file)
		gmem_broken("/proc/self/sched: %m");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "mm->numa_scan_seq : %u", &scans) == 1) {
			fclose(file);
			return scans;
		}
	}
	gmem_broken("/proc/self/sched has no mm->numa_scan_seq");
}

/*
 * Waits until the reader has touched everything once more, or the deadline has passed.  The
 * round that is under way may have begun before now, so two rounds have to end.
 */
static void wait_round(struct reader *reader, struct gmem_deadline *deadline)
{
	u64 end = READ_ONCE(reader->rounds) + 2;

	while (READ_ONCE(reader->rounds) < end && gmem_deadline_poll(deadline))
		;
}

void gmem_balancing_run(int node, unsigned int scans, void (*touch)(void *arg),
			bool (*done)(void *arg), void *arg)
{
	struct reader reader = { .node = node, .touch = touch, .arg = arg };
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_SLOW_TIMEOUT_S);
	unsigned int before;
	pthread_t thread;

	if (gmem_file_read_long(BALANCING) != 1)
		gmem_sysctl_set(BALANCING, "1");
	if (pthread_create(&thread, NULL, read_remotely, &reader))
		gmem_broken("pthread_create: %m");
	before = scans_so_far();
	while (scans_so_far() - before < scans || !done(arg))
		if (!gmem_deadline_poll(&deadline))
			gmem_broken("NUMA balancing: wanted %u scans, got %u in %lu rounds",
				    scans, scans_so_far() - before, reader.rounds);
	/* The last scan has only prepared hinting faults; the reader takes them now. */
	wait_round(&reader, &deadline);
	WRITE_ONCE(reader.stop, true);
	pthread_join(thread, NULL);
}
