// SPDX-License-Identifier: GPL-2.0-only
/* The stage-2 witness: was a mapping dropped while it watched? */
#include <stdio.h>
#include <stdlib.h>

#include "gmem_case.h"
#include "gmem_probe.h"
#include "gmem_region.h"
#include "gmem_stage2.h"

struct gmem_stage2 {
	struct gmem_region *region;
	struct gmem_probe *probe;
	__u64 start, spare;	/* guest frames: first in use, and the spare */
	__u64 unmaps;		/* of pages in use */
	__u64 spare_unmaps;
	__u64 first;
};

static void count(const char *line, void *arg)
{
	__u64 start = gmem_probe_value(line, "start");
	struct gmem_stage2 *witness = arg;

	if (start == witness->spare) {
		witness->spare_unmaps++;
		return;
	}
	if (!witness->unmaps++)
		witness->first = start < witness->start ? 0 : start - witness->start;
}

/* Punches the spare and counts what the probe recorded up to then. */
static void prove(struct gmem_stage2 *witness)
{
	gmem_region_punch_spare(witness->region);
	gmem_probe_disarm(witness->probe);
	witness->unmaps = 0;
	witness->spare_unmaps = 0;
	gmem_probe_for_each(witness->probe, count, witness);
	if (witness->spare_unmaps != 1)
		gmem_broken("stage-2 witness: saw %llu unmaps of the spare page, wanted 1",
			    witness->spare_unmaps);
}

struct gmem_stage2 *gmem_stage2_watch(struct gmem_region *region)
{
	struct gmem_stage2 *witness = calloc(1, sizeof(*witness));
	char filter[96];

	if (!witness)
		gmem_broken("out of memory");
	witness->region = region;
	gmem_region_gfns(region, &witness->start, &witness->spare);
	snprintf(filter, sizeof(filter), "start <= %llu && end > %llu",
		 witness->spare, witness->start);
	/* struct kvm_gfn_range: slot, start, end.  prove() notices a change. */
	witness->probe = gmem_probe_create("unmap", 'p',
					   "kvm_unmap_gfn_range start=+8($arg2):u64 end=+16($arg2):u64",
					   filter);
	gmem_probe_arm(witness->probe);
	prove(witness);
	if (witness->unmaps)
		gmem_broken("stage-2 witness: %llu unmaps before any trigger", witness->unmaps);
	gmem_probe_arm(witness->probe);
	return witness;
}

void gmem_stage2_free(struct gmem_stage2 *witness)
{
	if (!witness)
		return;
	gmem_probe_free(witness->probe);
	free(witness);
}

__u64 gmem_stage2_unmaps(struct gmem_stage2 *witness, __u64 *first)
{
	prove(witness);
	*first = witness->first;
	return witness->unmaps;
}

void gmem_stage2_resume(struct gmem_stage2 *witness)
{
	gmem_probe_arm(witness->probe);
}
