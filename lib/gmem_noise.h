/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Noise: stress-ng allocates, migrates, forks and writes files beside a test, with
 * no more than 64 MiB.  It proves nothing and is never asked what it did.
 */
#ifndef GMEM_NOISE_H
#define GMEM_NOISE_H

#include <stdbool.h>

#include "gmem_case.h"

/* GMEM_SKIP_none if there is a stress-ng. */
enum gmem_skip gmem_noise_missing(void);

/* Starts what this stress-ng has of our choice of stressors.  It ends, with all its
 * processes, by gmem_noise_stop() or with the case, however that ends.
 */
void gmem_noise_start(void);

/* False once stress-ng has ended by itself. */
bool gmem_noise_lasts(void);

void gmem_noise_stop(void);

#endif /* GMEM_NOISE_H */
