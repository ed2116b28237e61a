/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Allocates memory for the tests' own use.  A test cannot go on without it, so that callers
 * have no error to handle.
 *
 *	u64 *pfns = gmem_zalloc(npages, sizeof(*pfns));
 */
#ifndef GMEM_ALLOC_H
#define GMEM_ALLOC_H

#include <stddef.h>

/*
 * Returns @count zeroed elements of @size bytes, which the caller gives to free(3).  The case
 * is BROKEN if there is no memory.
 */
void *gmem_zalloc(size_t count, size_t size);

#endif /* GMEM_ALLOC_H */
