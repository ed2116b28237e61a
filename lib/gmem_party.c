// SPDX-License-Identifier: GPL-2.0-only
/* One of several guests side by side. */
#include <string.h>
#include <linux/sizes.h>

#include "gmem_guest.h"
#include "gmem_party.h"
#include "gmem_place.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_stage2.h"

/* Unmovable memory must not be where only movable memory may be. */
static void check_place(struct gmem_party *party)
{
	struct gmem_place place;

	for (size_t page = 0; page < party->region->npages; page++) {
		gmem_place_of(party->scene->frames[page], &place);
		if (place.cma || place.movable)
			gmem_fail(GMEM_C7,
				  "page %zu: wanted neither CMA nor ZONE_MOVABLE, got %s (flags %s)",
				  page, place.cma ? "CMA" : place.zone,
				  gmem_flags_name(party->region->flags));
	}
	party->tally.placed += party->region->npages;
}

void gmem_party_invite(struct gmem_party *party, int nth, const struct gmem_vm_type *type,
		       __u64 flags, size_t npages, const struct gmem_trigger *trigger)
{
	const struct gmem_slot slot = {
		.count = npages + 1,
		.gpa = gmem_region_gpa() + (__u64)nth * SZ_1G,
	};

	party->region = gmem_region_create_slots(type, flags, npages, &slot, 1);
	party->scene = gmem_scene_create(trigger, party->region);
	party->guest = gmem_guest_create(party->region);
	gmem_scene_look(party->scene);
	if (!party->region->movable)
		check_place(party);
}

void gmem_party_start(struct gmem_party *party)
{
	gmem_guest_run(party->guest, GMEM_GUEST_WRITE);
}

static void check_stayed(struct gmem_party *party, const char *how)
{
	const char *flags = gmem_flags_name(party->region->flags);
	__u64 first, unmaps;

	if (party->tally.moved)
		gmem_fail(GMEM_C4,
			  "%s: page %zu: wanted the same frame, got %#llx instead of %#llx (flags %s, %s VM)",
			  how, party->scene->moved_page, party->scene->moved_to,
			  party->scene->moved_from, flags, party->region->type->name);
	if (!party->witness)
		return;
	unmaps = gmem_stage2_unmaps(party->witness, &first);
	if (unmaps)
		gmem_fail(GMEM_C4,
			  "%s: wanted no stage-2 unmap, got %llu, the first at page %llu (flags %s)",
			  how, unmaps, first, flags);
	gmem_stage2_resume(party->witness);
}

void gmem_party_look(struct gmem_party *party, const char *how)
{
	gmem_scene_count(party->scene, &party->tally);
	if (!party->region->movable)
		check_stayed(party, how);
}

void gmem_party_verify(struct gmem_party *party)
{
	gmem_guest_wait_rounds(party->guest, 1);
	gmem_guest_pause(party->guest);
	party->tally.verified += gmem_guest_verify(party->guest);
	gmem_guest_run(party->guest, GMEM_GUEST_WRITE);
}

void gmem_party_add_up(const struct gmem_party *parties, size_t count,
		       struct gmem_tally *tally)
{
	memset(tally, 0, sizeof(*tally));
	for (size_t i = 0; i < count; i++) {
		const struct gmem_tally *one = &parties[i].tally;

		tally->moved += one->moved;
		tally->stayed += one->stayed;
		tally->control += one->control;
		tally->raced += one->raced;
		tally->verified += one->verified;
		tally->placed += one->placed;
	}
}

void gmem_party_leave(struct gmem_party *party)
{
	gmem_guest_free(party->guest);
	gmem_stage2_free(party->witness);
	gmem_scene_free(party->scene);
	gmem_region_free(party->region);
}
