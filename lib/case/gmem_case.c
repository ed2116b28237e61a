// SPDX-License-Identifier: GPL-2.0-only
/* One test case: how it begins, what it has to show, and how it passes. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

#include "case/gmem_case.h"
#include "case/gmem_deadline.h"
#include "case/gmem_kmsg.h"
#include "case/gmem_restore.h"
#include "case/gmem_result.h"
#include "case/gmem_watchdog.h"

static unsigned long instruction(const ucontext_t *context)
{
#if defined(__x86_64__)
	return context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
	return context->uc_mcontext.pc;
#else
	return 0;
#endif
}

/* Printing is not async-signal-safe, but a process that has crashed has nothing left to lose. */
static void report_crash(int signal, siginfo_t *info, void *context)
{
	gmem_broken("%s, code %d, at address %p, by the instruction at %#lx",
		    strsignal(signal), info->si_code, info->si_addr, instruction(context));
}

static void catch_crashes(void)
{
	struct sigaction action = { .sa_sigaction = report_crash, .sa_flags = SA_SIGINFO };

	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGILL, &action, NULL);
}

void gmem_case_begin(char *reason, size_t size, const char *fixture, const char *variant,
		     const char *claim)
{
	char name[256];

	gmem_result_begin(reason, size);
	fprintf(stderr, "# seed %#lx\n", gmem_seed());
	/* Reject a bad GMEM_SCALE now, because the exit path parses it again. */
	gmem_deadline_in(0);
	catch_crashes();
	gmem_watchdog_begin();
	gmem_restore_begin();
	snprintf(name, sizeof(name), "%s%s%s.%s", fixture, *variant ? "." : "", variant, claim);
	gmem_kmsg_mark(name);
}

void gmem_case_pass_at(const struct gmem_location *at, const struct gmem_tally *tally,
		       unsigned int required)
{
	const struct {
		unsigned int bit;
		u64 count;
		const char *missing;
	} counters[] = {
		{ GMEM_MOVED, tally->moved, "no folio moved" },
		{ GMEM_STAYED, tally->stayed, "no folio was seen to stay" },
		{ GMEM_CONTROL, tally->control, "no anonymous page moved" },
		{ GMEM_RACED, tally->raced, "the guest wrote nothing meanwhile" },
		{ GMEM_VERIFIED, tally->verified, "no byte was compared" },
		{ GMEM_PLACED, tally->placed, "the zone of no folio was checked" },
	};

	fprintf(stderr,
		"# TALLY moved=%lu stayed=%lu control=%lu raced=%lu verified=%lu placed=%lu\n",
		tally->moved, tally->stayed, tally->control, tally->raced, tally->verified,
		tally->placed);
	for (size_t i = 0; i < sizeof(counters) / sizeof(*counters); i++)
		if ((required & counters[i].bit) && !counters[i].count)
			gmem_broken_at(at, "vacuous: %s", counters[i].missing);
	gmem_kmsg_check_at(at);
	gmem_result_pass();
	gmem_watchdog_arm_at(at, GMEM_LIFECYCLE, "freeing VM and guest_memfd");
}

void gmem_tally_add(struct gmem_tally *tally, const struct gmem_tally *more)
{
	tally->moved += more->moved;
	tally->stayed += more->stayed;
	tally->control += more->control;
	tally->raced += more->raced;
	tally->verified += more->verified;
	tally->placed += more->placed;
}
