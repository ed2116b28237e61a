// SPDX-License-Identifier: GPL-2.0-only
/* A region of which pages are taken out of use. */
#include <stdlib.h>

#include "gmem_case.h"
#include "gmem_frame.h"
#include "gmem_guest.h"
#include "gmem_offline.h"
#include "gmem_poison.h"
#include "gmem_region.h"
#include "gmem_stage2.h"
#include "gmem_variant.h"

struct gmem_offline *gmem_offline_begin(const struct gmem_poison *how,
					const struct gmem_vm_type *type, __u64 flags,
					size_t npages, bool written)
{
	struct gmem_offline *offline = calloc(1, sizeof(*offline));

	gmem_skip_if(gmem_poison_missing(how));
	if (!offline)
		gmem_broken("out of memory");
	offline->how = how;
	offline->region = gmem_variant_region(type, flags, npages);
	if (written) {
		offline->guest = gmem_guest_create(offline->region);
	} else {
		gmem_region_allocate(offline->region, 0, npages);
		offline->guest = gmem_guest_create_idle(offline->region);
	}
	offline->frames = calloc(npages, sizeof(*offline->frames));
	if (!offline->frames)
		gmem_broken("out of memory");
	gmem_frame_lookup(offline->region, offline->frames);
	offline->count = gmem_poison_count();
	return offline;
}

void gmem_offline_free(struct gmem_offline *offline)
{
	if (!offline)
		return;
	gmem_guest_free(offline->guest);
	gmem_stage2_free(offline->witness);
	gmem_region_free(offline->region);
	free(offline->frames);
	free(offline);
}

int __gmem_offline_page(struct gmem_offline *offline, size_t page)
{
	struct gmem_region *region = offline->region;
	void *addr = region->host_maps ? gmem_region_host(region, page) : NULL;

	return __gmem_poison(offline->how, addr, offline->frames[page]);
}

void gmem_offline_check_others(const struct gmem_offline *offline, size_t page,
			       const __u64 *now)
{
	for (size_t other = 0; other < offline->region->npages; other++)
		if (other != page && now[other] != offline->frames[other])
			gmem_fail(GMEM_C12,
				  "%s: page %zu: wanted page %zu beside it in the same frame, got %#llx instead of %#llx",
				  offline->how->name, page, other, now[other],
				  offline->frames[other]);
}

long gmem_offline_count(const struct gmem_offline *offline)
{
	return gmem_poison_count() - offline->count;
}
