/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The set-up of memory failure tests: a region whose pages the kernel takes out of use one by
 * one, by soft offlining or by hard poisoning (gmem_poison.h).
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

#include "case/gmem_case.h"
#include "vm/gmem_config.h"

struct gmem_guest;
struct gmem_poison;
struct gmem_region;
struct gmem_unmap_probe;

struct gmem_offline {
	const struct gmem_poison *how;
	struct gmem_region *region;
	struct gmem_guest *guest;	/* is paused at first */
	struct gmem_unmap_probe *probe;	/* the test may set it; it is freed with the rest */
	u64 *pfns;			/* of all pages, by lookup */
	long count;			/* unusable pages of the machine at the beginning */
};

/*
 * Creates a region of @npages pages of @config.  If @written, the guest has written all of them;
 * if not, they are allocated and nobody has touched them.  Skips the case (no_memory_failure) if
 * the kernel does not offer @how.
 */
struct gmem_offline *gmem_offline_begin(const struct gmem_poison *how,
					const struct gmem_config *config, size_t npages,
					bool written);

/* Frees @offline, which may be NULL, and all that belongs to it. */
void gmem_offline_free(struct gmem_offline *offline);

/* Has the kernel take @page out of use.  Returns what the kernel reports: 0 or -errno. */
int __gmem_offline_page(struct gmem_offline *offline, size_t page);

/*
 * Fails the case (C12) unless all pages but @page have the same pfn in @now as at the beginning.
 */
#define gmem_offline_check_others(offline, page, now) \
	gmem_offline_check_others_at(GMEM_HERE, offline, page, now)
void gmem_offline_check_others_at(const struct gmem_location *at,
				  const struct gmem_offline *offline, size_t page,
				  const u64 *now);

/* Returns how many more pages of the machine are unusable than at the beginning. */
long gmem_offline_count(const struct gmem_offline *offline);

/* Defines the fixture of the tests @_name, which take pages out of use. */
#define GMEM_OFFLINE_FIXTURE(_name) \
GMEM_FIXTURE_OF(_name, GMEM_MEMBERS(struct gmem_offline *offline;), GMEM_MEMBERS( \
	struct gmem_config config; \
	const struct gmem_poison *how; \
), gmem_offline_free(self->offline))

#endif /* GMEM_OFFLINE_H */
