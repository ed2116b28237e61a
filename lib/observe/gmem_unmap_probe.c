// SPDX-License-Identifier: GPL-2.0-only
/* The unmap probe: were pages of a region unmapped from stage-2 while it was watching? */
#include <stdio.h>
#include <stdlib.h>

#include "case/gmem_alloc.h"
#include "case/gmem_result.h"
#include "mm/gmem_kprobe.h"
#include "observe/gmem_unmap_probe.h"
#include "vm/gmem_memslot.h"
#include "vm/gmem_region.h"

struct gmem_unmap_probe {
	struct gmem_region *region;
	struct gmem_kprobe *kprobe;
	u64 start, sentinel;	/* gfns of the first page in use and of the sentinel */
	u64 unmaps;		/* requests that reached pages in use */
	u64 sentinel_unmaps;
	u64 first;		/* the page at which the first of these requests began */
};

static void count_unmap(const char *line, void *arg)
{
	u64 start = gmem_kprobe_value(line, "start");
	struct gmem_unmap_probe *probe = arg;

	if (start == probe->sentinel) {
		probe->sentinel_unmaps++;
		return;
	}
	if (!probe->unmaps++)
		probe->first = start < probe->start ? 0 : start - probe->start;
}

/* Punches the sentinel, stops recording, and counts what was recorded up to then. */
static void stop_and_count(struct gmem_unmap_probe *probe)
{
	gmem_region_punch_sentinel(probe->region);
	gmem_kprobe_disarm(probe->kprobe);
	probe->unmaps = 0;
	probe->sentinel_unmaps = 0;
	gmem_kprobe_for_each(probe->kprobe, count_unmap, probe);
	if (probe->sentinel_unmaps != 1)
		gmem_broken("unmap probe: saw %lu unmaps of the sentinel, wanted 1",
			    probe->sentinel_unmaps);
}

struct gmem_unmap_probe *gmem_unmap_probe_start(struct gmem_region *region)
{
	struct gmem_unmap_probe *probe = gmem_zalloc(1, sizeof(*probe));
	char filter[96];

	probe->region = region;
	gmem_region_gfns(region, &probe->start, &probe->sentinel);
	snprintf(filter, sizeof(filter), "start <= %lu && end > %lu",
		 probe->sentinel, probe->start);
	/*
	 * The offsets are those of struct kvm_gfn_range: slot, start, end.  If they change, the
	 * sentinel is not seen.
	 */
	probe->kprobe = gmem_kprobe_create("unmap", 'p',
					   "kvm_unmap_gfn_range start=+8($arg2):u64 end=+16($arg2):u64",
					   filter);
	gmem_kprobe_arm(probe->kprobe);
	stop_and_count(probe);
	if (probe->unmaps)
		gmem_broken("unmap probe: %lu unmaps before any trigger", probe->unmaps);
	gmem_kprobe_arm(probe->kprobe);
	return probe;
}

void gmem_unmap_probe_free(struct gmem_unmap_probe *probe)
{
	if (!probe)
		return;
	gmem_kprobe_free(probe->kprobe);
	free(probe);
}

u64 gmem_unmap_probe_count(struct gmem_unmap_probe *probe, u64 *first)
{
	stop_and_count(probe);
	*first = probe->first;
	return probe->unmaps;
}

void gmem_unmap_probe_resume(struct gmem_unmap_probe *probe)
{
	gmem_kprobe_arm(probe->kprobe);
}

void gmem_check_not_unmapped_at(const struct gmem_location *at, enum gmem_clause clause,
				const char *how, struct gmem_unmap_probe *probe)
{
	u64 first, unmaps = gmem_unmap_probe_count(probe, &first);

	if (unmaps)
		gmem_fail_at(at, clause,
			     "%s: wanted no stage-2 unmap, got %lu, the first at page %lu (%s)",
			     how, unmaps, first, probe->region->name);
}
