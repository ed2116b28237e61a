/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Noise: stress-ng allocates, migrates, forks and writes files beside a test, with
 * no more than 64 MiB, and takes memory blocks offline and back.  It proves nothing and
 * is never asked what it did.
 */
#ifndef GMEM_STRESS_NG_H
#define GMEM_STRESS_NG_H

#include <stdbool.h>
#include <stddef.h>

#include "case/gmem_result.h"

/* GMEM_SKIP_none if there is a stress-ng. */
enum gmem_skip_reason gmem_stress_ng_missing(void);

/*
 * Starts what this stress-ng has of our choice of stressors.  It ends, with all its
 * processes, by gmem_stress_ng_stop() or with the case, however that ends.  If @nblocks is not
 * 0, stressors have those memory blocks, and no others, to take offline and bring back.
 */
void gmem_stress_ng_start(const long *blocks, size_t nblocks);

/* False once stress-ng has ended by itself. */
bool gmem_stress_ng_lasts(void);

void gmem_stress_ng_stop(void);

#endif /* GMEM_STRESS_NG_H */
