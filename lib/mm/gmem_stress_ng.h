/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stress-ng as background load beside a test: it allocates, migrates, forks and writes
 * files, with no more than 64 MiB, and takes memory blocks offline and brings them back.  No
 * test relies on what it has done.
 *
 *	gmem_skip_if(gmem_stress_ng_missing());
 *	gmem_stress_ng_start(blocks, 2);
 *	...
 *	gmem_stress_ng_stop();
 */
#ifndef GMEM_STRESS_NG_H
#define GMEM_STRESS_NG_H

#include <stdbool.h>
#include <stddef.h>

#include "case/gmem_result.h"

/* Returns GMEM_SKIP_none if there is a program stress-ng. */
enum gmem_skip_reason gmem_stress_ng_missing(void);

/*
 * Starts one worker for each of our stressors that the installed stress-ng has.  They end
 * with gmem_stress_ng_stop() or with the case, however the case ends.  If @nblocks is not 0,
 * stress-ng also takes the @nblocks memory blocks @blocks offline and brings them back; it
 * sees no other blocks.  Skips the case (no_stress_ng) if stress-ng has none of our stressors.
 */
void gmem_stress_ng_start(const long *blocks, size_t nblocks);

/* Returns false once stress-ng has ended by itself. */
bool gmem_stress_ng_lasts(void);

/* Ends stress-ng and all its processes; does nothing if it was not started. */
void gmem_stress_ng_stop(void);

#endif /* GMEM_STRESS_NG_H */
