/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stamps: what every 64-bit word of a page must hold.
 *
 * A stamp says for which page, word and generation it was written, so that a wrong word shows
 * what went wrong.  It is XORed with a key that is made of the seed, so that stamps of another run
 * are wrong, too.  A page that nobody ever wrote is of generation 0, and all zeros.  Functions
 * that both guest and host run are inline.
 */
#ifndef GMEM_PATTERN_H
#define GMEM_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/types.h>

#include "case/gmem_result.h"

/* A stamp has 16 bits for the generation, at the top, then 32 for the page and 16 for the word. */
#define GMEM_GENERATIONS BIT(16)

enum gmem_mismatch_class {
	GMEM_ZEROS,	/* zero: the page was cleared, or replaced by a new one */
	GMEM_STALE,	/* an earlier generation of this word: a lost write */
	GMEM_EARLY,	/* a later generation of this word, which should not exist yet */
	GMEM_FOREIGN,	/* the stamp of another page or word, or no stamp at all */
};

/* The first wrong word of a page. */
struct gmem_mismatch {
	u64 page;
	u64 word;
	u64 want;
	u64 got;
};

/* Returns the key for @seed, mixed by splitmix64 so that no stamp looks like 0 or a pointer. */
static inline u64 gmem_pattern_key(u64 seed)
{
	seed += 0x9e3779b97f4a7c15ULL;
	seed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9ULL;
	seed = (seed ^ (seed >> 27)) * 0x94d049bb133111ebULL;
	return seed ^ (seed >> 31);
}

/* Returns the stamp of @word of @page, which is 0 in generation 0. */
static inline u64 gmem_stamp(u64 key, u64 page, u64 word, u16 generation)
{
	return generation ? ((u64)generation << 48 | page << 16 | word) ^ key : 0;
}

/* Returns the generation after @generation.  It is never 0, because the page is then written. */
static inline u16 gmem_next_generation(u16 generation)
{
	return generation == (u16)-1 ? 1 : generation + 1;
}

/* The distance between stamps, in words: every word has one, or one word of each cache line. */
#define GMEM_EVERY_WORD	1
#define GMEM_EVERY_LINE	(64 / sizeof(u64))

/* Writes the stamps of @generation to every @step-th word of the page at @va. */
static inline void gmem_stamp_page(u64 *va, u64 words, u64 step, u64 key, u64 page,
				   u16 generation)
{
	for (u64 word = 0; word < words; word += step)
		WRITE_ONCE(va[word], gmem_stamp(key, page, word, generation));
}

/*
 * Whether the page at @va holds the stamps of @generation in every @step-th word.  If it does
 * not, *bad is the first wrong word.
 */
static inline bool gmem_check_page(const u64 *va, u64 words, u64 step, u64 key, u64 page,
				   u16 generation, struct gmem_mismatch *bad)
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

/* Returns what went wrong with the word @bad.  @key is the key of the stamps. */
enum gmem_mismatch_class gmem_mismatch_class(u64 key, const struct gmem_mismatch *bad);

/* Returns "zeros", "stale", "early" or "foreign". */
const char *gmem_mismatch_name(enum gmem_mismatch_class class);

/*
 * Writes generation 1 to every word of the @count pages at @mem, under this run's key.  The first
 * of them is page @first of the file.  This is for pages that no guest writes.
 */
void gmem_pattern_write(void *mem, size_t first, size_t count);

/*
 * Fails the case (@clause) unless the pages hold what gmem_pattern_write() wrote; the message
 * begins with @who.  Returns the number of bytes compared.
 */
#define gmem_pattern_check(mem, first, count, clause, who) \
	gmem_pattern_check_at(GMEM_HERE, mem, first, count, clause, who)
u64 gmem_pattern_check_at(const struct gmem_location *at, const void *mem, size_t first,
			  size_t count, enum gmem_clause clause, const char *who);

#endif /* GMEM_PATTERN_H */
