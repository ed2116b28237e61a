// SPDX-License-Identifier: GPL-2.0-only
/* The profile: how long whoever runs the suite is willing to wait. */
#include <stdlib.h>
#include <string.h>

#include "gmem_case.h"
#include "gmem_profile.h"

unsigned int gmem_rounds(unsigned int gate, unsigned int full, unsigned int soak)
{
	const char *profile = getenv("GMEM_PROFILE");

	if (!profile || !strcmp(profile, "gate"))
		return gate;
	if (!strcmp(profile, "full"))
		return full;
	if (!strcmp(profile, "soak"))
		return soak;
	gmem_broken("GMEM_PROFILE=%s: wanted gate, full or soak", profile);
}
