// SPDX-License-Identifier: GPL-2.0-only
/*
 * A test of nothing, which ends in every way that a real one can.  selftest/record
 * runs it under the kernel's own runner: the judge's golden logs are real output.
 */
#include "kselftest_harness.h"

/* The harness's reason buffer is what the real tests fill through gmem_case. */
#define SAY(fmt, ...) \
	snprintf(_metadata->results->reason, \
		 sizeof(_metadata->results->reason), fmt, ##__VA_ARGS__)

FIXTURE(contents)
{
	int unused;
};

FIXTURE_VARIANT(contents)
{
	int flags;
};

FIXTURE_VARIANT_ADD(contents, default_mmap)
{
	.flags = 1,
};

FIXTURE_VARIANT_ADD(contents, default_init_shared)
{
	.flags = 3,
};

FIXTURE_VARIANT_ADD(contents, swprot_none)
{
	.flags = 0,
};

FIXTURE_SETUP(contents)
{
	SAY("BROKEN: ended without an outcome");
	if (!variant->flags)
		SKIP(return, "no_vm_type: this machine does not offer the VM type");
}

FIXTURE_TEARDOWN(contents)
{
}

/* Ends the process as the environment variable SAMPLE says, if it says. */
static void end_badly(struct __test_metadata *_metadata, const char *how)
{
	if (!strcmp(how, "fail")) {
		SAY("FAIL C4: move_pages: page 37: want frame 0x4a31, got 0x1c07 [seed 0x5eed]");
		_exit(KSFT_FAIL);
	}
	if (!strcmp(how, "broken")) {
		SAY("BROKEN: mmap of the guest_memfd: Cannot allocate memory");
		_exit(254);
	}
	if (!strcmp(how, "unknown")) {
		SAY("page 3 looks odd");
		_exit(KSFT_FAIL);
	}
	if (!strcmp(how, "slug")) {
		SAY("felt_lazy: no reason that anybody agreed on");
		_exit(KSFT_SKIP);
	}
	if (!strcmp(how, "hang"))
		pause();
	if (!strcmp(how, "segfault"))
		raise(SIGSEGV);
}

TEST_F_TIMEOUT(contents, survive, 1)
{
	printf("# TALLY moved=%d raced=3 verified=4096\n", 12 * variant->flags);
	if (variant->flags == 3)
		end_badly(_metadata, getenv("SAMPLE") ?: "");
	SAY("%s", "");
}

TEST_F(contents, move_back)
{
	if (strcmp(getenv("SAMPLE") ?: "", "no-tally"))
		printf("# TALLY moved=%d verified=64\n", 4 * variant->flags);
	SAY("%s", "");
}

int main(int argc, char **argv)
{
	/* Dies before its first case, as a program does that misses a library. */
	if (!strcmp(getenv("SAMPLE") ?: "", "die"))
		raise(SIGSEGV);
	return test_harness_run(argc, argv);
}
