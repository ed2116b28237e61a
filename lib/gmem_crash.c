// SPDX-License-Identifier: GPL-2.0-only
/* Signals of faulty accesses, which nobody expects. */
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#include "gmem_case.h"
#include "gmem_crash.h"

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

/* Not safe in a signal handler, but all that is left to do here is to say it. */
static void tell(int signal, siginfo_t *info, void *context)
{
	gmem_broken("%s, code %d, at address %p, by the instruction at %#lx",
		    strsignal(signal), info->si_code, info->si_addr, instruction(context));
}

void gmem_crash_report(void)
{
	struct sigaction action = { .sa_sigaction = tell, .sa_flags = SA_SIGINFO };

	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGILL, &action, NULL);
}
