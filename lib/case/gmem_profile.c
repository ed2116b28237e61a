// SPDX-License-Identifier: GPL-2.0-only
/* The profile: how long the run may take. */
#include <stdlib.h>
#include <string.h>

#include "case/gmem_case.h"
#include "case/gmem_profile.h"
#include "case/gmem_result.h"

static const char * const names[] = {
	[GMEM_PROFILE_GATE] = "gate",
	[GMEM_PROFILE_FULL] = "full",
	[GMEM_PROFILE_SOAK] = "soak",
};

/* The harness counts milliseconds in an int, which bounds the longest one. */
static const unsigned int timeouts[] = {
	[GMEM_PROFILE_GATE] = GMEM_CASE_TIMEOUT,
	[GMEM_PROFILE_FULL] = 10 * GMEM_CASE_TIMEOUT,
	[GMEM_PROFILE_SOAK] = 2000000,
};

/* Returns the profile that GMEM_PROFILE names, or -1 if it names none. */
static int find(void)
{
	const char *given = getenv("GMEM_PROFILE");

	if (!given)
		return GMEM_PROFILE_GATE;
	for (int i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(given, names[i]))
			return i;
	return -1;
}

enum gmem_profile gmem_profile(void)
{
	int found = find();

	if (found < 0)
		gmem_broken("GMEM_PROFILE is \"%s\", wanted gate, full or soak",
			    getenv("GMEM_PROFILE"));
	return found;
}

unsigned int gmem_profile_timeout(void)
{
	int found = find();

	return timeouts[found < 0 ? GMEM_PROFILE_GATE : found];
}

unsigned int gmem_rounds(unsigned int gate, unsigned int full, unsigned int soak)
{
	const unsigned int rounds[] = {
		[GMEM_PROFILE_GATE] = gate,
		[GMEM_PROFILE_FULL] = full,
		[GMEM_PROFILE_SOAK] = soak,
	};

	return rounds[gmem_profile()];
}
