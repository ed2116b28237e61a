/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The profile: how long whoever runs the suite is willing to wait.
 *
 *	for (int round = 0; round < gmem_rounds(3, 20, 200); round++)
 *
 * GMEM_PROFILE=gate|full|soak; without it, gate.  A profile changes how often a
 * thing is done, never what is promised.
 */
#ifndef GMEM_PROFILE_H
#define GMEM_PROFILE_H

/* Of the three, the one of this run's profile.  BROKEN if that is none of them. */
unsigned int gmem_rounds(unsigned int gate, unsigned int full, unsigned int soak);

#endif /* GMEM_PROFILE_H */
