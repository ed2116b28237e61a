// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every user mapping of a page follows it to its new frame.
 *
 * Contract: C3: several VMAs, a forked child and a hot writer see one and the same
 *	     memory before, while and after it moves.
 * Method:   the file is mapped twice in this process and once more in a child.  A
 *	     thread adds to counters in every page through the first mapping, without
 *	     pause, and keeps what they must be; the trigger moves the pages; after
 *	     each round the second mapping and the child compare all counters.
 * Guards:   fails if no page moved; broken if ordinary pages did not move either,
 *	     the thread wrote nothing meanwhile or nothing was compared.
 * Needs:    a policy with movable memory; two nodes.
 * Kills:    second-vma-not-restored, host-entries-not-restored, copy-half-page
 */
#include <pthread.h>
#include <sys/wait.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "case/gmem_case.h"
#include "case/gmem_deadline.h"
#include "case/gmem_watchdog.h"
#include "trigger/gmem_migration.h"
#include "trigger/gmem_trigger.h"
#include "trigger/gmem_variant.h"
#include "vm/gmem_expect.h"
#include "vm/gmem_region.h"
#include "vm/gmem_region_create.h"

#define NPAGES	64
#define ROUNDS	20
/* What the writer, the checkers and the child share; one counter a cache line. */
struct counters {
	u32 stop;		/* ends the thread */
	u32 hold;		/* asks it to pause between two passes */
	u32 held;		/* it does */
	u64 passes;		/* what every counter must be */
};

FIXTURE(host_mapping) {
	struct gmem_region *region;
	struct gmem_migration *migration;
	struct counters *counters;
	char *second;
	pthread_t writer;
	bool writing;
	size_t lines;		/* cache lines of the region */
};

FIXTURE_VARIANT(host_mapping) {
	struct gmem_config config;
	const struct gmem_trigger *trigger;
};

GMEM_TRIGGER_VARIANT(host_mapping, optin_mmap_shared, move_pages_all)
GMEM_TRIGGER_VARIANT(host_mapping, mmap_shared, move_pages_all)

FIXTURE_SETUP(host_mapping)
{
}

FIXTURE_TEARDOWN(host_mapping)
{
	if (self->writing) {
		WRITE_ONCE(self->counters->stop, 1);
		pthread_join(self->writer, NULL);
	}
	gmem_migration_free(self->migration);
	gmem_region_free(self->region);
}

static u64 *counter(char *mapping, size_t line)
{
	return (u64 *)(mapping + line * 64);
}

static void *write_without_pause(void *arg)
{
	FIXTURE_DATA(host_mapping) * self = arg;
	struct counters *counters = self->counters;

	while (!READ_ONCE(counters->stop)) {
		if (READ_ONCE(counters->hold)) {
			WRITE_ONCE(counters->held, 1);
			usleep(20);
			continue;
		}
		for (size_t line = 0; line < self->lines; line++)
			WRITE_ONCE(*counter(self->region->host, line),
				   READ_ONCE(*counter(self->region->host, line)) + 1);
		WRITE_ONCE(counters->passes, counters->passes + 1);
	}
	return NULL;
}

/* The first wrong counter, or -1. */
static ssize_t wrong_line(char *mapping, size_t lines, u64 want)
{
	for (size_t line = 0; line < lines; line++)
		if (READ_ONCE(*counter(mapping, line)) != want)
			return line;
	return -1;
}

static void check(const char *who, char *mapping, size_t lines, u64 want,
		  struct gmem_tally *tally)
{
	ssize_t wrong;

	gmem_watchdog_arm(GMEM_HOST_MAPPING, who);
	wrong = wrong_line(mapping, lines, want);
	gmem_watchdog_disarm();
	if (wrong >= 0)
		gmem_fail(GMEM_HOST_MAPPING, "%s: offset %#zx: want %lu, got %lu", who, wrong * 64,
			  want,
			  *counter(mapping, wrong));
	tally->verified += lines * sizeof(u64);
}

/* A child maps the file by inheritance.  It compares once for each byte that it is
 * sent, and ends with the pipe.
 */
static pid_t start_child(char *mapping, size_t lines, const struct counters *counters,
			 int ask[2], int answer[2])
{
	ssize_t wrong;
	pid_t pid;
	char c;

	if (pipe(ask) || pipe(answer))
		gmem_broken("pipe: %m");
	pid = fork();
	if (pid < 0)
		gmem_broken("fork: %m");
	if (pid)
		return pid;
	close(ask[1]);
	while (read(ask[0], &c, 1) == 1) {
		wrong = wrong_line(mapping, lines, READ_ONCE(counters->passes));
		if (write(answer[1], &wrong, sizeof(wrong)) != sizeof(wrong))
			break;
	}
	_exit(0);
}

static void check_in_child(int ask, int answer, size_t lines, struct gmem_tally *tally)
{
	ssize_t wrong;

	gmem_watchdog_arm(GMEM_HOST_MAPPING, "the child reads its mapping");
	if (write(ask, "?", 1) != 1 || read(answer, &wrong, sizeof(wrong)) != sizeof(wrong))
		gmem_broken("the child does not answer: %m");
	gmem_watchdog_disarm();
	if (wrong >= 0)
		gmem_fail(GMEM_HOST_MAPPING, "child: offset %#zx differs from what was written", wrong * 64);
	tally->verified += lines * sizeof(u64);
}

/* Between two passes all counters are equal. */
static void hold_writer(struct counters *counters)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_SLOW_TIMEOUT_S);

	WRITE_ONCE(counters->held, 0);
	WRITE_ONCE(counters->hold, 1);
	while (!READ_ONCE(counters->held))
		if (!gmem_deadline_poll(&deadline))
			gmem_fail(GMEM_LIVENESS, "the host's writer is stuck");
}

static void move_under_writes(FIXTURE_DATA(host_mapping) * self, int ask, int answer,
			      struct gmem_tally *tally)
{
	struct counters *counters = self->counters;

	for (int round = 0; round < ROUNDS; round++) {
		struct gmem_deadline deadline = gmem_deadline_in(GMEM_SLOW_TIMEOUT_S);
		u64 before = READ_ONCE(counters->passes);

		WRITE_ONCE(counters->hold, 0);
		gmem_migration_fire(self->migration, NULL, tally);
		while (READ_ONCE(counters->passes) == before)
			if (!gmem_deadline_poll(&deadline))
				gmem_fail(GMEM_LIVENESS, "the host's writer does not get on");
		hold_writer(counters);
		tally->raced += (counters->passes - before) * self->region->npages;
		check("reading the first mapping", self->region->host, self->lines,
		      counters->passes, tally);
		check("reading the second mapping", self->second, self->lines, counters->passes,
		      tally);
		check_in_child(ask, answer, self->lines, tally);
	}
}

TEST_F_TIMEOUT(host_mapping, follows_the_page, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	int ask[2], answer[2];
	size_t size;
	pid_t child;

	GMEM_CASE_BEGIN();
	gmem_require_movable(&variant->config);
	self->region = gmem_region_create(&variant->config, NPAGES);
	self->migration = gmem_migration_create(variant->trigger, self->region);
	size = NPAGES * self->region->page_size;
	self->lines = size / 64;
	self->counters = kvm_mmap(getpagesize(), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1);
	self->second = kvm_mmap(size, PROT_READ | PROT_WRITE, MAP_SHARED, self->region->fd);
	child = start_child(self->region->host, self->lines, self->counters, ask, answer);
	check_in_child(ask[1], answer[0], self->lines, &tally);
	gmem_migration_snapshot(self->migration);

	if (pthread_create(&self->writer, NULL, write_without_pause, self))
		gmem_broken("pthread_create: %m");
	self->writing = true;
	move_under_writes(self, ask[1], answer[0], &tally);
	close(ask[1]);
	waitpid(child, NULL, 0);
	if (tally.control && !tally.moved)
		gmem_fail(GMEM_LIVENESS, "%s: wanted pages to move, got none", variant->trigger->name);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
