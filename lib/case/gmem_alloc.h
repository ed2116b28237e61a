/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory for the tests' own use, which no test can do without.
 *
 *	u64 *pfns = gmem_zalloc(npages, sizeof(*pfns));
 */
#ifndef GMEM_ALLOC_H
#define GMEM_ALLOC_H

#include <stddef.h>

/*
 * Allocates @count zeroed elements of @size bytes, to be given to free(3).  The case is BROKEN
 * if there is no memory.
 */
void *gmem_zalloc(size_t count, size_t size);

#endif /* GMEM_ALLOC_H */
