/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How much a stress test does: GMEM_PROFILE=gate|full|soak, gate if that is unset.
 * BROKEN, once a case has begun, if it is anything else.
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

#endif /* GMEM_PROFILE_H */
