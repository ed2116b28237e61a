/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The profile: how long the run may take.
 *
 *	for (int round = 0; round < gmem_rounds(3, 20, 200); round++)
 *
 * GMEM_PROFILE of the environment is gate, full or soak, and gate if it is not set.  A case is
 * BROKEN if it is anything else.  A profile changes how often a test repeats something, never
 * what the test demands.
 */
#ifndef GMEM_PROFILE_H
#define GMEM_PROFILE_H

enum gmem_profile {
	GMEM_PROFILE_GATE,	/* cases take seconds, so that every change can be tested */
	GMEM_PROFILE_FULL,	/* cases take minutes */
	GMEM_PROFILE_SOAK,	/* a case may go on until it is told to stop (gmem_stop.h) */
};

/* Returns the profile of this run. */
enum gmem_profile gmem_profile(void);

/*
 * Returns the seconds for TEST_F_TIMEOUT(), which only end hangs: a longer profile gets more.
 * The harness calls this before a case begins, so that a bad GMEM_PROFILE counts as gate here.
 */
unsigned int gmem_profile_timeout(void);

/* Returns the argument that belongs to this run's profile. */
unsigned int gmem_rounds(unsigned int gate, unsigned int full, unsigned int soak);

#endif /* GMEM_PROFILE_H */
