// SPDX-License-Identifier: GPL-2.0-only
/* Allocates memory for the tests' own use. */
#include <stdlib.h>

#include "case/gmem_alloc.h"
#include "case/gmem_result.h"

void *gmem_zalloc(size_t count, size_t size)
{
	void *mem = calloc(count, size);

	if (!mem)
		gmem_broken("out of memory");
	return mem;
}
