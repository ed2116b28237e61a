// SPDX-License-Identifier: GPL-2.0-only
/* Free memory that the kernel withholds from allocations. */
#include <stdlib.h>

#include "case/gmem_file.h"
#include "case/gmem_restore.h"
#include "mm/gmem_watermark.h"

#define PCP_FRACTION	"/proc/sys/vm/percpu_pagelist_high_fraction"
#define MIN_FREE	"/proc/sys/vm/min_free_kbytes"
#define MIN_FREE_KIB	"8192"
#define BOOST_FACTOR	"/proc/sys/vm/watermark_boost_factor"

void gmem_watermark_lower(void)
{
	gmem_sysctl_set(BOOST_FACTOR, "0");
	if (gmem_file_read_long(MIN_FREE) > atol(MIN_FREE_KIB))
		gmem_sysctl_set(MIN_FREE, MIN_FREE_KIB);
}

void gmem_watermark_shrink_pcp(void)
{
	/* A list may be this fraction of a zone: one millionth. */
	gmem_sysctl_set(PCP_FRACTION, "1000000");
}
