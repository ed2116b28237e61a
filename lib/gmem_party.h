/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One of several guests side by side, each with a region of its own, movable or not.
 *
 *	gmem_party_invite(&party, nth, &gmem_vm_default, flags, 64, trigger);
 *	gmem_party_start(&party);
 *	... fire triggers ...
 *	gmem_party_look(&party, "compact_memory");
 *	gmem_party_verify(&party);
 *	gmem_party_leave(&party);
 */
#ifndef GMEM_PARTY_H
#define GMEM_PARTY_H

#include <stddef.h>
#include <linux/types.h>

#include "gmem_case.h"

struct gmem_trigger;
struct gmem_vm_type;

struct gmem_party {
	struct gmem_region *region;
	struct gmem_scene *scene;
	struct gmem_guest *guest;
	struct gmem_stage2 *witness;	/* of unmovable memory, where there is one */
	struct gmem_tally tally;
};

/*
 * A guest of @type with @npages of guest_memfd with @flags, written once; it lies where
 * @trigger has it.  Its guest frames are the @nth party's own, as what unmaps those of
 * one VM is not to be seen in another.  Fails by C7 if unmovable memory is in CMA or
 * ZONE_MOVABLE.
 */
void gmem_party_invite(struct gmem_party *party, int nth, const struct gmem_vm_type *type,
		       __u64 flags, size_t npages, const struct gmem_trigger *trigger);

/* Has the guest check and rewrite every page from now on. */
void gmem_party_start(struct gmem_party *party);

/* Counts what has moved since the last look.  Of unmovable memory fails by C4 if some of
 * it has, or was unmapped; @how says by what.
 */
void gmem_party_look(struct gmem_party *party, const char *how);

/* Compares every byte, after one more round of the guest's at least, which then goes on. */
void gmem_party_verify(struct gmem_party *party);

/* Adds what became of @count @parties up in @tally. */
void gmem_party_add_up(const struct gmem_party *parties, size_t count,
		       struct gmem_tally *tally);

void gmem_party_leave(struct gmem_party *party);

#endif /* GMEM_PARTY_H */
