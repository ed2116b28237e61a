// SPDX-License-Identifier: GPL-2.0-only
/* Stamps: telling what kind of wrong a wrong word is. */
#include "gmem_pattern.h"

enum gmem_mismatch_class gmem_mismatch_class(__u64 key, const struct gmem_mismatch *bad)
{
	__u64 want = bad->want ^ key, got = bad->got ^ key;
	__u16 ahead = (got >> 48) - (want >> 48);

	if (!bad->got)
		return GMEM_ZEROS;
	/* Same page and word, so it differs in its generation alone. */
	if (!((want ^ got) << 16))
		return ahead < GMEM_GENERATIONS / 2 ? GMEM_EARLY : GMEM_STALE;
	return GMEM_FOREIGN;
}

const char *gmem_mismatch_name(enum gmem_mismatch_class class)
{
	static const char * const name[] = {
		[GMEM_ZEROS] = "zeros",
		[GMEM_STALE] = "stale",
		[GMEM_EARLY] = "early",
		[GMEM_FOREIGN] = "foreign",
	};

	return name[class];
}
