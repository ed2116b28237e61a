/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A region of which pages are taken out of use, one by one, softly or hard.
 *
 *	offline = gmem_offline_begin(&gmem_poison_madv_hwpoison, type, flags, 16, true);
 *	err = __gmem_offline_page(offline, 5);
 *	gmem_frame_lookup(offline->region, now);
 *	gmem_offline_check_others(offline, 5, now);
 *	gmem_offline_free(offline);
 */
#ifndef GMEM_OFFLINE_H
#define GMEM_OFFLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

struct gmem_guest;
struct gmem_poison;
struct gmem_region;
struct gmem_stage2;
struct gmem_vm_type;

struct gmem_offline {
	const struct gmem_poison *how;
	struct gmem_region *region;
	struct gmem_guest *guest;	/* paused */
	struct gmem_stage2 *witness;	/* for the test to set; freed with the rest */
	__u64 *frames;		/* of all pages, by lookup */
	long count;		/* of unusable frames, at the beginning */
};

/*
 * A region of @npages of @type with @flags, as gmem_variant_region() has it, whose guest
 * has @written all of them; if not, they are allocated, and nobody has touched one.
 * Skips the case (no_memory_failure) if the kernel does not know @how.
 */
struct gmem_offline *gmem_offline_begin(const struct gmem_poison *how,
					const struct gmem_vm_type *type, __u64 flags,
					size_t npages, bool written);

/* NULL is fine. */
void gmem_offline_free(struct gmem_offline *offline);

/* Has the kernel take @page out of use.  Returns what it reports, 0 or -errno. */
int __gmem_offline_page(struct gmem_offline *offline, size_t page);

/* Fails by C12 unless all pages but @page are now in the frames that they were in. */
void gmem_offline_check_others(const struct gmem_offline *offline, size_t page,
			       const __u64 *now);

/* How many more frames are out of use than at the beginning. */
long gmem_offline_count(const struct gmem_offline *offline);

#endif /* GMEM_OFFLINE_H */
