/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stamps: what every 64-bit word of a page must hold.
 *
 * A stamp says which page, which word and which generation it was written for,
 * under a key made of the seed, so that a wrong word tells what went wrong.
 * Generation 0 is that of a page that nobody ever wrote: all zeros.
 * What guest and host both run is inline.
 */
#ifndef GMEM_PATTERN_H
#define GMEM_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/types.h>

#include "case/gmem_result.h"

/* Bits of a stamp, from the top: generation 16, page 32, word 16. */
#define GMEM_GENERATIONS BIT(16)

enum gmem_mismatch_class {
	GMEM_ZEROS,	/* zeroed, or another page: the write is gone */
	GMEM_STALE,	/* an earlier generation of this word: a lost write */
	GMEM_EARLY,	/* a later generation of this word: should not exist yet */
	GMEM_FOREIGN,	/* another page's or word's stamp, or no stamp at all */
};

/* The first word of a page that was not what it had to be. */
struct gmem_mismatch {
	u64 page;
	u64 word;
	u64 want;
	u64 got;
};

/* splitmix64: spreads the seed so that no stamp looks like 0 or a pointer. */
static inline u64 gmem_pattern_key(u64 seed)
{
	seed += 0x9e3779b97f4a7c15ULL;
	seed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9ULL;
	seed = (seed ^ (seed >> 27)) * 0x94d049bb133111ebULL;
	return seed ^ (seed >> 31);
}

static inline u64 gmem_stamp(u64 key, u64 page, u64 word, u16 generation)
{
	return generation ? ((u64)generation << 48 | page << 16 | word) ^ key : 0;
}

/* The one after @generation; a written page is never of generation 0 again. */
static inline u16 gmem_next_generation(u16 generation)
{
	return generation == (u16)-1 ? 1 : generation + 1;
}

/* Every how many words there is a stamp: all of them, or one in a cache line. */
#define GMEM_EVERY_WORD	1
#define GMEM_EVERY_LINE	(64 / sizeof(u64))

/* Writes the stamps of @generation to every @step-th word of the page at @va. */
static inline void gmem_stamp_page(u64 *va, u64 words, u64 step, u64 key,
				   u64 page, u16 generation)
{
	for (u64 word = 0; word < words; word += step)
		WRITE_ONCE(va[word], gmem_stamp(key, page, word, generation));
}

/* True if the page at @va holds the stamps of @generation in every @step-th word;
 * if not, *bad is the first wrong one.
 */
static inline bool gmem_check_page(const u64 *va, u64 words, u64 step, u64 key,
				   u64 page, u16 generation,
				   struct gmem_mismatch *bad)
{
	for (u64 word = 0; word < words; word += step) {
		u64 want = gmem_stamp(key, page, word, generation);
		u64 got = READ_ONCE(va[word]);

		if (got != want) {
			bad->page = page;
			bad->word = word;
			bad->want = want;
			bad->got = got;
			return false;
		}
	}
	return true;
}

/* What kind of wrong @bad is. */
enum gmem_mismatch_class gmem_mismatch_class(u64 key, const struct gmem_mismatch *bad);

/* "zeros", "stale", ... */
const char *gmem_mismatch_name(enum gmem_mismatch_class class);

/* For pages that no guest writes: the first generation in every word of the @count pages
 * at @mem, of which the first is page @first of the file, under this run's key.
 */
void gmem_pattern_write(void *mem, size_t first, size_t count);

/* Fails the case of @clause, in @who's name, unless they hold that.  Returns the bytes
 * compared.
 */
u64 gmem_pattern_check(const void *mem, size_t first, size_t count, enum gmem_clause clause,
			 const char *who);

#endif /* GMEM_PATTERN_H */
