// SPDX-License-Identifier: GPL-2.0-only
/* The set-up of tests that take memory away while a guest uses it. */
#include <stdlib.h>

#include "case/gmem_alloc.h"
#include "case/gmem_case.h"
#include "mm/gmem_anon.h"
#include "mm/gmem_block.h"
#include "mm/gmem_numa.h"
#include "observe/gmem_unmap_probe.h"
#include "trigger/gmem_migration.h"
#include "trigger/gmem_trigger.h"
#include "trigger/gmem_unplug.h"
#include "vm/gmem_expect.h"
#include "vm/gmem_guest.h"
#include "vm/gmem_region.h"
#include "vm/gmem_region_create.h"

/* The unplug whose migration is being created, as allocate() is given the migration only. */
static struct gmem_unplug *unplug_to_allocate;

/* Counts the @pfns that are in the memory. */
static size_t count_held(const struct gmem_unplug *unplug, const u64 *pfns, size_t count)
{
	size_t held = 0;

	for (long nth = 0; nth < unplug->nblocks; nth++)
		held += gmem_block_holds(unplug->block + nth, pfns, count);
	return held;
}

/* Shows that anonymous pages leave the memory when it is taken away. */
static void prove(struct gmem_unplug *unplug, struct gmem_anon *control)
{
	const struct gmem_unplug_kind *kind = unplug->kind;

	gmem_anon_touch_on(control, unplug->node);
	gmem_anon_snapshot(control);
	if (count_held(unplug, control->pfns, control->npages) < control->npages)
		gmem_broken("%s: wanted all anonymous pages in %s, got fewer", kind->name,
			    kind->where);
	kind->prove(unplug);
	gmem_anon_snapshot(control);
	if (count_held(unplug, control->pfns, control->npages))
		gmem_broken("%s: wanted no anonymous page left in %s, got some", kind->name,
			    kind->where);
	gmem_anon_discard(control, 0, control->npages);
}

static void allocate_in_memory(struct gmem_migration *migration)
{
	const struct gmem_unplug_kind *kind = unplug_to_allocate->kind;

	kind->online(unplug_to_allocate);
	prove(unplug_to_allocate, migration->control);
	kind->online(unplug_to_allocate);
	gmem_migration_allocate_by_policy(migration, unplug_to_allocate->node);
}

static const struct gmem_trigger unplug_trigger = {
	.name = "unplug",
	.missing = gmem_numa_missing,
	.allocate = allocate_in_memory,
};

struct gmem_unplug *gmem_unplug_begin(const struct gmem_unplug_kind *kind,
				      const struct gmem_config *config, size_t npages,
				      bool movable)
{
	struct gmem_unplug *unplug;

	if (movable)
		gmem_require_movable(config);
	else
		gmem_require_unmovable(config);
	unplug = gmem_zalloc(1, sizeof(*unplug));
	unplug->kind = kind;
	unplug->zone_movable = movable && !kind->always_normal;
	unplug->nblocks = 1;
	unplug->node = kind->find(unplug);
	unplug->region = gmem_region_create(config, npages);
	unplug_to_allocate = unplug;
	unplug->migration = gmem_migration_create(&unplug_trigger, unplug->region);
	gmem_migration_snapshot(unplug->migration);
	unplug->guest = gmem_guest_create_idle(unplug->region);
	gmem_guest_run_on(unplug->guest, GMEM_GUEST_WRITE, 0, npages / 2);
	gmem_guest_wait_rounds(unplug->guest, 1);
	unplug->probe = gmem_unmap_probe_start(unplug->region);
	return unplug;
}

void gmem_unplug_online_first(struct gmem_unplug *unplug)
{
	unplug->block = unplug->found[0];
	if (unplug->zone_movable)
		gmem_block_online(unplug->block, "online_movable");
	else
		gmem_block_online_kernel(unplug->block, unplug->found[1]);
}

static int find_block(struct gmem_unplug *unplug)
{
	return gmem_block_find_offline_node(unplug->found);
}

static void prove_block(struct gmem_unplug *unplug)
{
	gmem_block_offline(unplug->block);
}

const struct gmem_unplug_kind gmem_unplug_block = {
	.name = "offlining",
	.where = "the block",
	.find = find_block,
	.online = gmem_unplug_online_first,
	.prove = prove_block,
};

void gmem_unplug_free(struct gmem_unplug *unplug)
{
	if (!unplug)
		return;
	gmem_guest_free(unplug->guest);
	gmem_unmap_probe_free(unplug->probe);
	gmem_migration_free(unplug->migration);
	gmem_region_free(unplug->region);
	free(unplug);
}

size_t gmem_unplug_held(const struct gmem_unplug *unplug)
{
	return count_held(unplug, unplug->migration->pfns, unplug->region->npages);
}

void gmem_unplug_check_placed_at(const struct gmem_location *at, struct gmem_unplug *unplug,
				 struct gmem_tally *tally)
{
	size_t held = gmem_unplug_held(unplug), npages = unplug->region->npages;

	if (held < npages && !unplug->zone_movable)
		gmem_broken("wanted all %zu pages in %s, got %zu", npages, unplug->kind->where,
			    held);
	if (held < npages)
		gmem_fail_at(at, GMEM_PLACEMENT,
			     "wanted all %zu pages in %s, which is ZONE_MOVABLE, like anonymous ones, got %zu (%s)",
			     npages, unplug->kind->where, held, unplug->region->name);
	tally->placed += held;
}

void gmem_unplug_check_unmapped_at(const struct gmem_location *at, struct gmem_unplug *unplug)
{
	u64 first, unmaps = gmem_unmap_probe_count(unplug->probe, &first);
	size_t touched = unplug->region->npages / 2;

	if (unmaps < touched)
		gmem_fail_at(at, GMEM_STAGE2,
			     "%s: wanted a stage-2 unmap of each of %zu pages, got %lu (%s)",
			     unplug->kind->name, touched, unmaps, unplug->region->name);
}

void gmem_unplug_check_stayed(struct gmem_unplug *unplug, const struct gmem_tally *tally)
{
	const char *how = unplug->kind->name;

	gmem_check_stayed(GMEM_UNMOVABLE, how, unplug->migration, tally);
	gmem_check_not_unmapped(GMEM_UNMOVABLE, how, unplug->probe);
}

void gmem_unplug_verify(struct gmem_unplug *unplug, struct gmem_tally *tally)
{
	gmem_guest_pause(unplug->guest);
	tally->verified += gmem_guest_verify(unplug->guest);
}
