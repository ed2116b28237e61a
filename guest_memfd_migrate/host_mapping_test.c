// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every user mapping of a page follows it to its new pfn.
 *
 * Contract: C3: several VMAs, a forked child and a hot writer see one and the same
 *	     memory before, while and after it moves.
 * Method:   the file is mapped twice in this process and once more in a child.  A
 *	     thread increments counters in every page through the first mapping, without
 *	     pause, and keeps the value that they must have; the trigger moves the pages;
 *	     after each round this process compares all counters through both of its
 *	     mappings, and the child through its own.
 * Guards:   fails if no page moved; broken if anonymous pages did not move either,
 *	     the thread wrote nothing meanwhile or nothing was compared.
 * Needs:    memory that is expected to be movable; two nodes.
 * Kills:    second-vma-not-restored, host-entries-not-restored, copy-half-page
 */
#include <pthread.h>
#include <sys/wait.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "case/gmem_deadline.h"
#include "case/gmem_watchdog.h"
#include "trigger/gmem_fixture.h"

#define NPAGES	64
#define ROUNDS	20
#define LINE	64		/* bytes of a cache line, in each of which there is a counter */

/* Writer, checkers and child share this page. */
struct writer_state {
	u32 stop;		/* ends the thread */
	u32 pause;		/* asks the thread to pause between two passes */
	u32 paused;		/* the thread has paused */
	u64 passes;		/* the value that every counter must have */
};

GMEM_FIXTURE_WITH(host_mapping, GMEM_MEMBERS(
	struct writer_state *state;
	pthread_t writer;
	char *second;		/* this process's second mapping of the file */
	size_t lines;		/* cache lines of the region */
), GMEM_MEMBERS())

GMEM_TRIGGER_VARIANT(host_mapping, optin_mmap_shared, move_pages_all)
GMEM_TRIGGER_VARIANT(host_mapping, mmap_shared, move_pages_all)

static u64 *counter(char *mapping, size_t line)
{
	return (u64 *)(mapping + line * LINE);
}

static void *increment_all(void *arg)
{
	FIXTURE_DATA(host_mapping) * self = arg;
	struct writer_state *state = self->state;

	while (!READ_ONCE(state->stop)) {
		if (READ_ONCE(state->pause)) {
			WRITE_ONCE(state->paused, 1);
			usleep(20);
			continue;
		}
		for (size_t line = 0; line < self->lines; line++)
			WRITE_ONCE(*counter(self->region->host, line),
				   READ_ONCE(*counter(self->region->host, line)) + 1);
		WRITE_ONCE(state->passes, state->passes + 1);
	}
	return NULL;
}

static void start_writer(FIXTURE_DATA(host_mapping) * self)
{
	if (pthread_create(&self->writer, NULL, increment_all, self))
		gmem_broken("pthread_create: %m");
}

static void stop_writer(FIXTURE_DATA(host_mapping) * self)
{
	WRITE_ONCE(self->state->stop, 1);
	pthread_join(self->writer, NULL);
}

/* Pauses the writer between two passes, where all counters are equal. */
static void pause_writer(struct writer_state *state)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_SLOW_TIMEOUT_S);

	WRITE_ONCE(state->paused, 0);
	WRITE_ONCE(state->pause, 1);
	while (!READ_ONCE(state->paused))
		if (!gmem_deadline_poll(&deadline))
			gmem_fail(GMEM_LIVENESS, "the host's writer is stuck");
}

/* Returns the first cache line whose counter is not @want, or -1. */
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
		gmem_fail(GMEM_HOST_MAPPING, "%s: offset %#zx: want %lu, got %lu", who,
			  wrong * LINE, want, *counter(mapping, wrong));
	tally->verified += lines * sizeof(u64);
}

/*
 * Forks a child, which inherits the mapping.  The child compares all counters once for each
 * byte that it reads from @ask, writes the first wrong line to @answer, and exits when @ask is
 * closed.
 */
static pid_t start_child(char *mapping, size_t lines, const struct writer_state *state,
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
		wrong = wrong_line(mapping, lines, READ_ONCE(state->passes));
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
		gmem_fail(GMEM_HOST_MAPPING,
			  "child: offset %#zx: wanted what the host wrote, got another value",
			  wrong * LINE);
	tally->verified += lines * sizeof(u64);
}

static void move_under_writes(FIXTURE_DATA(host_mapping) * self, int ask, int answer,
			      struct gmem_tally *tally)
{
	struct writer_state *state = self->state;

	for (int round = 0; round < ROUNDS; round++) {
		struct gmem_deadline deadline = gmem_deadline_in(GMEM_SLOW_TIMEOUT_S);
		u64 before = READ_ONCE(state->passes);

		WRITE_ONCE(state->pause, 0);
		gmem_migration_fire(self->migration, NULL, tally);
		while (READ_ONCE(state->passes) == before)
			if (!gmem_deadline_poll(&deadline))
				gmem_fail(GMEM_LIVENESS, "the host's writer makes no progress");
		pause_writer(state);
		tally->raced += (state->passes - before) * self->region->npages;
		check("reading the first mapping", self->region->host, self->lines,
		      state->passes, tally);
		check("reading the second mapping", self->second, self->lines, state->passes,
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
	size = gmem_region_size(self->region);
	self->lines = size / LINE;
	self->state = kvm_mmap(getpagesize(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			       -1);
	self->second = kvm_mmap(size, PROT_READ | PROT_WRITE, MAP_SHARED, self->region->fd);
	child = start_child(self->region->host, self->lines, self->state, ask, answer);
	check_in_child(ask[1], answer[0], self->lines, &tally);
	gmem_migration_snapshot(self->migration);

	start_writer(self);
	move_under_writes(self, ask[1], answer[0], &tally);
	stop_writer(self);
	close(ask[1]);
	waitpid(child, NULL, 0);
	if (tally.control && !tally.moved)
		gmem_fail(GMEM_LIVENESS, "%s: wanted pages to move, got none",
			  variant->trigger->name);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
