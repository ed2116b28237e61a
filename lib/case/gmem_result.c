// SPDX-License-Identifier: GPL-2.0-only
/* The outcome of a case: the result line, the log, and the exit status. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "kselftest.h"

#include "case/gmem_result.h"

/* kvm_util's TEST_ASSERT() exits with this status, too; the harness calls both a fail. */
#define EXIT_BROKEN 254

#define SKIP_ENTRY(_slug, _text) { #_slug, _text },
static const struct {
	const char *slug;
	const char *text;
} skips[] = {
	{ "", "" },		/* GMEM_SKIP_none */
	GMEM_SKIP_REASONS(SKIP_ENTRY)
};

#define CLAUSE_ENTRY(_number, _word, _name) [_number] = _name,
static const char * const clause_names[] = {
	GMEM_CLAUSES(CLAUSE_ENTRY)
};

static char *result_line;
static size_t result_size;
static void (*exit_hook)(int status);
/* The outcome that was reported first, which the children of the case share. */
static struct {
	int status;		/* its exit status, or 0 */
	bool complete;		/* the result line has its text */
} *reported;

u64 gmem_seed(void)
{
	static u64 seed;
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

void gmem_result_begin(char *reason, size_t size)
{
	reported = mmap(NULL, sizeof(*reported), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (reported == MAP_FAILED) {
		reported = NULL;
		gmem_broken("out of memory");
	}
	result_line = reason;
	result_size = size;
	snprintf(reason, size,
		 "BROKEN: ended without an outcome (assertion of kvm_util, signal or time-out; see the log)");
}

/* vCPU threads may still run, so nothing is torn down under them. */
__noreturn
static void end_process(int status)
{
	if (exit_hook)
		exit_hook(status);
	_exit(status);
}

void gmem_result_pass(void)
{
	/* A child has reported an outcome, and its parent has not looked at the child's status. */
	if (reported->status)
		end_process(reported->status);
	result_line[0] = '\0';
}

void gmem_result_on_exit(void (*hook)(int status))
{
	exit_hook = hook;
}

/* Whether nobody has reported an outcome before.  If so, the outcome is the one of @status. */
static bool is_first(int status)
{
	int none = 0;

	return !reported ||
	       __atomic_compare_exchange_n(&reported->status, &none, status, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/*
 * Waits until the first outcome is in the result line, because the process that ends now may
 * be the one that writes it.  The bound ends the wait for a process that was killed meanwhile.
 */
static void wait_for_first(void)
{
	for (int i = 0; i < 10000 && !READ_ONCE(reported->complete); i++)
		usleep(100);
}

/* A result line ends at the first newline, so the text is made one line. */
static void join_lines(char *text)
{
	for (; *text; text++)
		if (*text == '\n')
			*text = ' ';
}

/* Prints the outcome, makes the first one the case's result line, and ends the process. */
__noreturn
static void finish(const struct gmem_location *at, enum gmem_clause clause, int status, char *text)
{
	char name[48] = "";

	join_lines(text);
	if (clause != GMEM_NO_CLAUSE)
		snprintf(name, sizeof(name), ": C%d %s", clause, clause_names[clause]);
	if (is_first(status)) {
		if (result_line)
			snprintf(result_line, result_size, "%s", text);
		if (reported)
			WRITE_ONCE(reported->complete, true);
	} else {
		status = reported->status;
		wait_for_first();
	}
	fprintf(stderr, "# %s\n# at %s:%d in %s()%s\n", text, at->file, at->line, at->function,
		name);
	end_process(status);
}

void gmem_fail_at(const struct gmem_location *at, enum gmem_clause clause, const char *fmt, ...)
{
	char message[700], text[800];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	snprintf(text, sizeof(text), "FAIL C%d: %s [seed %#lx]", clause, message, gmem_seed());
	finish(at, clause, KSFT_FAIL, text);
}

void gmem_broken_at(const struct gmem_location *at, const char *fmt, ...)
{
	char message[700], text[800];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	snprintf(text, sizeof(text), "BROKEN: %s", message);
	finish(at, GMEM_NO_CLAUSE, EXIT_BROKEN, text);
}

void gmem_skip_at(const struct gmem_location *at, enum gmem_skip_reason why, const char *fmt, ...)
{
	char message[700], text[800];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	snprintf(text, sizeof(text), "%s: %s", skips[why].slug, message);
	finish(at, GMEM_NO_CLAUSE, KSFT_SKIP, text);
}

void gmem_skip_if_at(const struct gmem_location *at, enum gmem_skip_reason why)
{
	if (why != GMEM_SKIP_none)
		gmem_skip_at(at, why, "%s", skips[why].text);
}
