/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The profile: how long whoever runs the suite is willing to wait.
 *
 *	for (int round = 0; round < gmem_rounds(3, 20, 200); round++)
 *
 * GMEM_PROFILE=gate|full|soak; without it, gate.  A profile changes how often a
 * thing is done, never what is promised.  BROKEN, once a case has begun, if it
 * is anything else.
 */
#ifndef GMEM_PROFILE_H
#define GMEM_PROFILE_H

enum gmem_profile {
	GMEM_PROFILE_GATE,	/* seconds: for every run */
	GMEM_PROFILE_FULL,	/* minutes */
	GMEM_PROFILE_SOAK,	/* until it is told to stop: see gmem_stop.h */
};

enum gmem_profile gmem_profile(void);

/* Seconds for TEST_F_TIMEOUT(): a bound on hangs, as wide as the profile. */
unsigned int gmem_profile_timeout(void);

/* Of the three, the one of this run's profile. */
unsigned int gmem_rounds(unsigned int gate, unsigned int full, unsigned int soak);

#endif /* GMEM_PROFILE_H */
