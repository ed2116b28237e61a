/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One test case: how it begins, what it has to show, and how it passes.
 *
 *	TEST_F_TIMEOUT(contents, survive, GMEM_CASE_TIMEOUT)
 *	{
 *		struct gmem_tally tally = {};
 *
 *		GMEM_CASE_BEGIN();
 *		...
 *		gmem_case_pass(&tally, GMEM_MOVED | GMEM_RACED | GMEM_VERIFIED);
 *	}
 *
 * A case that ends in any other way than gmem_case_pass() has not passed: its result line
 * starts out as BROKEN, and only gmem_case_pass() and the functions of gmem_result.h
 * replace it.
 */
#ifndef GMEM_CASE_H
#define GMEM_CASE_H

#include <stddef.h>
#include <linux/bits.h>
#include <linux/types.h>

#include "case/gmem_result.h"

/* What a case did.  Folios are order-0: there is one for each page of the host. */
struct gmem_tally {
	u64 moved;		/* folios under test whose pfn changed */
	u64 stayed;		/* folios under test whose pfn did not change */
	u64 control;		/* pages of the control that moved or were acted upon */
	u64 raced;		/* pages that the guest wrote while a trigger ran */
	u64 verified;		/* bytes compared with what was written */
	u64 placed;		/* folios under test whose zone or flags were right */
};

/* Which counters must not be zero, because a pass would be vacuous. */
enum {
	GMEM_MOVED	= BIT(0),
	GMEM_STAYED	= BIT(1),
	GMEM_CONTROL	= BIT(2),
	GMEM_RACED	= BIT(3),
	GMEM_VERIFIED	= BIT(4),
	GMEM_PLACED	= BIT(5),
};

/* Seconds that a case may take.  This only ends hangs: the slowest emulator needs less. */
#define GMEM_CASE_TIMEOUT 240

/*
 * Has the harness know the tests @_name: their fixture and its variants have the given members,
 * nothing is set up, and @_teardown runs after a case has passed.  The headers of the wings
 * above have fixtures made with this.
 */
#define GMEM_FIXTURE_OF(_name, _members, _variant_members, _teardown) \
FIXTURE(_name) { \
	_members \
}; \
FIXTURE_VARIANT(_name) { \
	_variant_members \
}; \
FIXTURE_SETUP(_name) \
{ \
} \
FIXTURE_TEARDOWN(_name) \
{ \
	_teardown; \
}

/* Wraps the members that are given to a fixture, because they may contain commas. */
#define GMEM_MEMBERS(...) __VA_ARGS__

/* Starts a case inside a TEST_F() of kselftest_harness.h. */
#define GMEM_CASE_BEGIN() do { \
	const char *_variant = ""; \
	\
	for (struct __fixture_variant_metadata *_v = _metadata->fixture->variant; \
	     _v; _v = _v->next) \
		if (_v->data == _metadata->variant) \
			_variant = _v->name; \
	gmem_case_begin(_metadata->results->reason, \
			sizeof(_metadata->results->reason), \
			_metadata->fixture->name, _variant, _metadata->name); \
} while (0)

/*
 * Begins the case that is named by @fixture, @variant and @claim.  @reason is the
 * harness's buffer of @size bytes for the text after "#" on the result line.  The case goes
 * on in a child that the watchdog supervises, settings are restored when it ends, and the
 * kernel log is marked.  A SIGSEGV, SIGBUS or SIGILL ends the case as BROKEN and says which
 * instruction accessed which address, which kvm_util's own handler does not; a test that
 * expects such a signal installs a handler of its own.
 */
void gmem_case_begin(char *reason, size_t size, const char *fixture, const char *variant,
		     const char *claim);

/*
 * Ends the case as passed if every counter in @required is non-zero, the kernel log is
 * clean, and nothing has failed; it does not return otherwise.
 */
#define gmem_case_pass(tally, required) gmem_case_pass_at(GMEM_HERE, tally, required)
void gmem_case_pass_at(const struct gmem_location *at, const struct gmem_tally *tally,
		       unsigned int required);

/* Adds what @more counted to @tally. */
void gmem_tally_add(struct gmem_tally *tally, const struct gmem_tally *more);

#endif /* GMEM_CASE_H */
