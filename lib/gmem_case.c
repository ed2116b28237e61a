// SPDX-License-Identifier: GPL-2.0-only
/* One test case: how it begins, and the three ways it ends. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/random.h>

#include "kselftest.h"

#include "gmem_case.h"
#include "gmem_crash.h"
#include "gmem_deadline.h"
#include "gmem_kmsg.h"
#include "gmem_supervisor.h"
#include "gmem_undo.h"

/* The exit status of kvm_util's TEST_ASSERT(); the harness calls both a fail. */
#define EXIT_BROKEN 254

#define SKIP_ENTRY(_slug, _text) { #_slug, _text },
static const struct {
	const char *slug;
	const char *text;
} skips[] = {
	{ "", "" },		/* GMEM_SKIP_none */
	GMEM_SKIP_REASONS(SKIP_ENTRY)
};

static char *case_reason;
static size_t case_reason_size;

__u64 gmem_seed(void)
{
	static __u64 seed;
	const char *given;
	char *end;

	if (seed)
		return seed;
	given = getenv("GMEM_SEED");
	if (given) {
		seed = strtoull(given, &end, 0);
		if (!*given || *end)
			gmem_broken("GMEM_SEED=%s is not a number", given);
	} else if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
		seed = getpid();
	}
	seed |= !seed;
	return seed;
}

void gmem_case_begin(char *reason, size_t size, const char *fixture, const char *variant,
		     const char *claim)
{
	char name[256];

	case_reason = reason;
	case_reason_size = size;
	snprintf(reason, size,
		 "BROKEN: ended without an outcome (assertion of kvm_util, signal or time-out; see the log)");
	fprintf(stderr, "# seed %#llx\n", (unsigned long long)gmem_seed());
	/* A GMEM_SCALE that is none has to end the case here: its end has a deadline, too. */
	gmem_deadline_in(0);
	gmem_crash_report();
	gmem_supervisor_begin();
	gmem_undo_begin();
	snprintf(name, sizeof(name), "%s%s%s.%s", fixture, *variant ? "." : "", variant, claim);
	gmem_kmsg_mark(name);
}

/* Prints the outcome, makes it the case's result line and ends the process. */
__noreturn __printf(2, 0)
static void finish(int status, const char *fmt, va_list args)
{
	char text[800];

	vsnprintf(text, sizeof(text), fmt, args);
	/* One line only: a result line cannot hold more. */
	for (char *c = text; *c; c++)
		if (*c == '\n')
			*c = ' ';
	if (case_reason)
		snprintf(case_reason, case_reason_size, "%s", text);
	fprintf(stderr, "# %s\n", text);
	gmem_supervisor_end(status);
	/* vCPU threads may still run: leave without tearing down under them. */
	_exit(status);
}

__noreturn __printf(2, 3)
static void finish_fmt(int status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	finish(status, fmt, args);
}

void gmem_fail(enum gmem_clause clause, const char *fmt, ...)
{
	char text[700];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	finish_fmt(KSFT_FAIL, "FAIL C%d: %s [seed %#llx]", clause, text,
		   (unsigned long long)gmem_seed());
}

void gmem_broken(const char *fmt, ...)
{
	char text[700];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	finish_fmt(EXIT_BROKEN, "BROKEN: %s", text);
}

void gmem_skip(enum gmem_skip why, const char *fmt, ...)
{
	char text[700];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	finish_fmt(KSFT_SKIP, "%s: %s", skips[why].slug, text);
}

void gmem_skip_if(enum gmem_skip why)
{
	if (why != GMEM_SKIP_none)
		gmem_skip(why, "%s", skips[why].text);
}

static void require(unsigned int required, unsigned int bit, __u64 count,
		    const char *what)
{
	if ((required & bit) && !count)
		gmem_broken("vacuous: %s", what);
}

void gmem_case_pass(const struct gmem_tally *tally, unsigned int required)
{
	fprintf(stderr,
		"# TALLY moved=%llu stayed=%llu control=%llu raced=%llu verified=%llu placed=%llu\n",
		(unsigned long long)tally->moved, (unsigned long long)tally->stayed,
		(unsigned long long)tally->control, (unsigned long long)tally->raced,
		(unsigned long long)tally->verified, (unsigned long long)tally->placed);
	require(required, GMEM_MOVED, tally->moved, "no folio moved");
	require(required, GMEM_STAYED, tally->stayed, "no folio was seen to stay");
	require(required, GMEM_CONTROL, tally->control, "no ordinary page moved");
	require(required, GMEM_RACED, tally->raced, "the guest wrote nothing meanwhile");
	require(required, GMEM_VERIFIED, tally->verified, "no byte was compared");
	require(required, GMEM_PLACED, tally->placed, "no folio's place was looked at");
	gmem_kmsg_check();
	case_reason[0] = '\0';
	gmem_busy(GMEM_C11, "freeing VM and guest_memfd");
}
