// SPDX-License-Identifier: GPL-2.0-only
/*
 * This test checks nothing; it ends in every way that a real test can.  selftest/record
 * runs it under the kernel's own runner, so that the judge's golden logs are real output.
 */
#include "kselftest_harness.h"

/* The real tests fill the harness's reason buffer, too, and end cases as END() does. */
#define SAY(fmt, ...) \
	snprintf(_metadata->results->reason, \
		 sizeof(_metadata->results->reason), fmt, ##__VA_ARGS__)
#define END(status, text, clause) do { \
	SAY("%s", text); \
	fprintf(stderr, "# %s\n# at %s:%d in %s()%s\n", \
		_metadata->results->reason, __FILE__, __LINE__, __func__, clause); \
	_exit(status); \
} while (0)

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
		END(KSFT_SKIP, "no_vm_type: this machine does not offer the VM type", "");
}

FIXTURE_TEARDOWN(contents)
{
}

/* Ends the process as @how says; an unknown or empty @how does nothing. */
static void end_badly(struct __test_metadata *_metadata, const char *how)
{
	if (!strcmp(how, "fail"))
		END(KSFT_FAIL,
		    "FAIL C4: move_pages: page 37: want frame 0x4a31, got 0x1c07 [seed 0x5eed]",
		    ": C4 unmovable");
	if (!strcmp(how, "broken"))
		END(254, "BROKEN: mmap of the guest_memfd: Cannot allocate memory", "");
	if (!strcmp(how, "unknown")) {
		SAY("page 3 looks odd");
		_exit(KSFT_FAIL);
	}
	if (!strcmp(how, "slug"))
		END(KSFT_SKIP, "felt_lazy: no reason that anybody agreed on", "");
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
	/* A program that misses a library dies so, before its first case. */
	if (!strcmp(getenv("SAMPLE") ?: "", "die"))
		raise(SIGSEGV);
	return test_harness_run(argc, argv);
}
