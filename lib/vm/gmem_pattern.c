// SPDX-License-Identifier: GPL-2.0-only
/* Stamps: says what went wrong for a wrong word, and handles pages that only the host writes. */
#include <unistd.h>

#include "case/gmem_result.h"
#include "vm/gmem_pattern.h"

enum gmem_mismatch_class gmem_mismatch_class(u64 key, const struct gmem_mismatch *bad)
{
	u64 want = bad->want ^ key, got = bad->got ^ key;
	u16 ahead = (got >> 48) - (want >> 48);

	if (!bad->got)
		return GMEM_ZEROS;
	/* Page and word are right, so that only the generation differs. */
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

void gmem_pattern_write(void *mem, size_t first, size_t count)
{
	u64 words = getpagesize() / sizeof(u64);

	for (size_t i = 0; i < count; i++)
		gmem_stamp_page((u64 *)mem + i * words, words, GMEM_EVERY_WORD,
				gmem_pattern_key(gmem_seed()), first + i, 1);
}

u64 gmem_pattern_check_at(const struct gmem_location *at, const void *mem, size_t first,
			  size_t count, enum gmem_clause clause, const char *who)
{
	u64 words = getpagesize() / sizeof(u64), key = gmem_pattern_key(gmem_seed());
	struct gmem_mismatch bad;

	for (size_t i = 0; i < count; i++)
		if (!gmem_check_page((const u64 *)mem + i * words, words, GMEM_EVERY_WORD, key,
				     first + i, 1, &bad))
			gmem_fail_at(at, clause,
				     "%s: page %zu offset %#lx: want %#lx, got %#lx (%s)", who,
				     first + i,
				     (first + i) * getpagesize() + bad.word * sizeof(u64),
				     bad.want, bad.got,
				     gmem_mismatch_name(gmem_mismatch_class(key, &bad)));
	return count * getpagesize();
}
