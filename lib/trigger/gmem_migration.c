// SPDX-License-Identifier: GPL-2.0-only
/* A migration: a region and a control side by side, and what a trigger moved. */
#include <stdlib.h>
#include <string.h>

#include "case/gmem_alloc.h"
#include "case/gmem_case.h"
#include "case/gmem_result.h"
#include "mm/gmem_anon.h"
#include "mm/gmem_numa.h"
#include "mm/gmem_pagemap.h"
#include "observe/gmem_pfn.h"
#include "trigger/gmem_migration.h"
#include "trigger/gmem_trigger.h"
#include "vm/gmem_expect.h"
#include "vm/gmem_guest.h"
#include "vm/gmem_region.h"

/* Region and control are allocated in turns, of that many pages each. */
#define TURN 8

void gmem_migration_allocate_on(struct gmem_migration *migration, int node)
{
	gmem_numa_bind(node);
	for (size_t page = 0; page < migration->region->npages; page += TURN) {
		size_t left = migration->region->npages - page;
		size_t count = left < TURN ? left : TURN;

		gmem_anon_touch(migration->control, page, count);
		gmem_region_allocate(migration->region, page, count);
	}
	gmem_numa_bind(-1);
}

/* Allocates on the first node, because the first move goes to the second. */
void gmem_migration_allocate(struct gmem_migration *migration)
{
	gmem_migration_allocate_on(migration, gmem_numa_node(0));
}

void gmem_migration_allocate_by_policy(struct gmem_migration *migration, int node)
{
	struct gmem_region *region = migration->region;

	gmem_anon_touch_on(migration->control, node);
	gmem_numa_mbind(region->host, gmem_region_size(region), node);
	gmem_region_allocate(region, 0, region->npages);
}

void gmem_migration_discard(struct gmem_migration *migration)
{
	gmem_anon_discard(migration->control, 0, migration->control->npages);
	gmem_region_discard(migration->region);
}

struct gmem_migration *gmem_migration_create(const struct gmem_trigger *trigger,
					     struct gmem_region *region)
{
	struct gmem_migration *migration = gmem_zalloc(1, sizeof(*migration));

	gmem_skip_if(gmem_pagemap_missing());
	if (trigger->missing)
		gmem_skip_if(trigger->missing());
	migration->trigger = trigger;
	migration->creator = trigger;
	migration->region = region;
	migration->control = gmem_anon_create(region->npages);
	migration->pfns = gmem_zalloc(region->npages, sizeof(*migration->pfns));

	if (trigger->allocate)
		trigger->allocate(migration);
	else
		gmem_migration_allocate(migration);
	migration->node = gmem_numa_node(1);
	return migration;
}

void gmem_migration_free(struct gmem_migration *migration)
{
	if (!migration)
		return;
	if (migration->creator->cleanup)
		migration->creator->cleanup(migration);
	gmem_anon_free(migration->control);
	free(migration->pfns);
	free(migration);
}

void gmem_migration_snapshot(struct gmem_migration *migration)
{
	gmem_pfn_read(migration->region, migration->pfns);
	gmem_anon_moved(migration->control);
}

static void count_moved(struct gmem_migration *migration, struct gmem_tally *tally)
{
	size_t npages = migration->region->npages;
	u64 *now = gmem_zalloc(npages, sizeof(*now));

	gmem_pfn_read(migration->region, now);
	for (size_t page = 0; page < npages; page++) {
		if (now[page] == migration->pfns[page]) {
			tally->stayed++;
			continue;
		}
		if (!tally->moved++) {
			migration->moved_page = page;
			migration->moved_from = migration->pfns[page];
			migration->moved_to = now[page];
		}
	}
	memcpy(migration->pfns, now, npages * sizeof(*now));
	free(now);
}

void gmem_migration_trigger(struct gmem_migration *migration, struct gmem_guest *guest,
			    struct gmem_tally *tally)
{
	u64 before;

	if (guest) {
		gmem_guest_leave_cpu(guest);
		before = gmem_guest_progress(guest);
	}
	migration->trigger->fire(migration);
	if (guest)
		tally->raced += gmem_guest_progress(guest) - before;
}

void gmem_migration_count(struct gmem_migration *migration, struct gmem_tally *tally)
{
	tally->control += gmem_anon_moved(migration->control);
	if (migration->trigger->acted_upon)
		tally->control += migration->trigger->acted_upon(migration);
	count_moved(migration, tally);
}

void gmem_migration_fire(struct gmem_migration *migration, struct gmem_guest *guest,
			 struct gmem_tally *tally)
{
	gmem_migration_trigger(migration, guest, tally);
	gmem_migration_count(migration, tally);
}

void gmem_require_control_at(const struct gmem_location *at,
			     const struct gmem_migration *migration,
			     const struct gmem_tally *tally)
{
	if (!tally->control)
		gmem_broken_at(at, "%s moved no anonymous memory either", migration->trigger->name);
}

void gmem_check_stayed_at(const struct gmem_location *at, enum gmem_clause clause, const char *how,
			  const struct gmem_migration *migration, const struct gmem_tally *tally)
{
	if (tally->moved)
		gmem_fail_at(at, clause,
			     "%s: page %zu: wanted the same frame, got %#lx instead of %#lx (%lu moves, %s, expect %s)",
			     how, migration->moved_page, migration->moved_to, migration->moved_from,
			     tally->moved, migration->region->name, gmem_expect_name());
}

/* A page that has not moved after so many firings is taken for one that never will. */
#define TRIES	50

void gmem_migration_move_all_at(const struct gmem_location *at, struct gmem_migration *migration,
				struct gmem_tally *tally)
{
	size_t npages = migration->region->npages, stays = 0;
	u64 *before = gmem_zalloc(npages, sizeof(*before));

	gmem_migration_snapshot(migration);
	memcpy(before, migration->pfns, npages * sizeof(*before));
	for (int try = 0; try < TRIES && stays < npages; try++) {
		gmem_migration_fire(migration, NULL, tally);
		while (stays < npages && migration->pfns[stays] != before[stays])
			stays++;
	}
	gmem_require_control(migration, tally);
	if (stays < npages)
		gmem_fail_at(at, GMEM_ATOMICITY,
			     "page %zu: wanted it to move once nothing is in its way, got the same pfn %#lx %d times",
			     stays, before[stays], TRIES);
	free(before);
}
