// SPDX-License-Identifier: GPL-2.0-only
/* The set-up of memory failure tests: a region whose pages are taken out of use. */
#include <stdlib.h>

#include "case/gmem_alloc.h"
#include "case/gmem_result.h"
#include "mm/gmem_poison.h"
#include "observe/gmem_pfn.h"
#include "observe/gmem_unmap_probe.h"
#include "trigger/gmem_offline.h"
#include "vm/gmem_guest.h"
#include "vm/gmem_region.h"
#include "vm/gmem_region_create.h"

struct gmem_offline *gmem_offline_begin(const struct gmem_poison *how,
					const struct gmem_config *config, size_t npages,
					bool written)
{
	struct gmem_offline *offline = gmem_zalloc(1, sizeof(*offline));

	gmem_skip_if(gmem_poison_missing(how));
	offline->how = how;
	offline->region = gmem_region_create(config, npages);
	if (written) {
		offline->guest = gmem_guest_create(offline->region);
	} else {
		gmem_region_allocate(offline->region, 0, npages);
		offline->guest = gmem_guest_create_idle(offline->region);
	}
	offline->pfns = gmem_zalloc(npages, sizeof(*offline->pfns));
	gmem_pfn_lookup(offline->region, offline->pfns);
	offline->count = gmem_poison_count();
	return offline;
}

void gmem_offline_free(struct gmem_offline *offline)
{
	if (!offline)
		return;
	gmem_guest_free(offline->guest);
	gmem_unmap_probe_free(offline->probe);
	gmem_region_free(offline->region);
	free(offline->pfns);
	free(offline);
}

int __gmem_offline_page(struct gmem_offline *offline, size_t page)
{
	struct gmem_region *region = offline->region;
	void *addr = region->host_maps ? gmem_region_host(region, page) : NULL;

	return __gmem_poison(offline->how, addr, offline->pfns[page]);
}

void gmem_offline_check_others_at(const struct gmem_location *at,
				  const struct gmem_offline *offline, size_t page,
				  const u64 *now)
{
	for (size_t other = 0; other < offline->region->npages; other++)
		if (other != page && now[other] != offline->pfns[other])
			gmem_fail_at(at, GMEM_MEMORY_FAILURE,
				     "%s: page %zu: wanted the same pfn for page %zu beside it, got %#lx instead of %#lx",
				     offline->how->name, page, other, now[other],
				     offline->pfns[other]);
}

long gmem_offline_count(const struct gmem_offline *offline)
{
	return gmem_poison_count() - offline->count;
}
