/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A region of which pages are taken out of use, one by one, softly or hard.
 *
 *	offline = gmem_offline_begin(&gmem_poison_madv_hwpoison, &variant->config, 16, true);
 *	err = __gmem_offline_page(offline, 5);
 *	gmem_pfn_lookup(offline->region, now);
 *	gmem_offline_check_others(offline, 5, now);
 *	gmem_offline_free(offline);
 */
#ifndef GMEM_OFFLINE_H
#define GMEM_OFFLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "vm/gmem_config.h"

struct gmem_guest;
struct gmem_poison;
struct gmem_region;
struct gmem_unmap_probe;

struct gmem_offline {
	const struct gmem_poison *how;
	struct gmem_region *region;
	struct gmem_guest *guest;	/* paused */
	struct gmem_unmap_probe *probe;	/* for the test to set; freed with the rest */
	u64 *pfns;		/* of all pages, by lookup */
	long count;		/* of unusable frames, at the beginning */
};

/*
 * Creates a region of @npages of @config, whose guest
 * has @written all of them; if not, they are allocated, and nobody has touched one.
 * Skips the case (no_memory_failure) if the kernel does not know @how.
 */
struct gmem_offline *gmem_offline_begin(const struct gmem_poison *how,
					const struct gmem_config *config, size_t npages,
					bool written);

/* NULL is fine. */
void gmem_offline_free(struct gmem_offline *offline);

/* Has the kernel take @page out of use.  Returns what it reports, 0 or -errno. */
int __gmem_offline_page(struct gmem_offline *offline, size_t page);

/* Fails by C12 unless all pages but @page are now in the frames that they were in. */
void gmem_offline_check_others(const struct gmem_offline *offline, size_t page,
			       const u64 *now);

/* How many more frames are out of use than at the beginning. */
long gmem_offline_count(const struct gmem_offline *offline);

/* The fixture of tests that take pages out of use. */
#define GMEM_OFFLINE_FIXTURE(_name) \
FIXTURE(_name) { \
	struct gmem_offline *offline; \
}; \
FIXTURE_VARIANT(_name) { \
	struct gmem_config config; \
	const struct gmem_poison *how; \
}; \
FIXTURE_SETUP(_name) \
{ \
} \
FIXTURE_TEARDOWN(_name) \
{ \
	gmem_offline_free(self->offline); \
}

#endif /* GMEM_OFFLINE_H */
