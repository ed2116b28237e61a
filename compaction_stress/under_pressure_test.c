// SPDX-License-Identifier: GPL-2.0-only
/*
 * Movable and unmovable guests side by side keep what the contract promises while all triggers
 * fire at random, under memory pressure.
 *
 * Contract: C1, C2: every byte that a guest wrote is read back; C4: unmovable memory
 *	     keeps its pfns and stage-2 mappings; C7: unmovable memory is never in CMA or
 *	     ZONE_MOVABLE; C9: movable memory moves, and every guest makes progress.
 * Method:   the vCPUs of three VMs check and rewrite every page all the time.  The seed
 *	     chooses triggers: by address, by compaction, by allocating CMA and huge pages.
 *	     stress-ng runs meanwhile; in the profiles full and soak it also takes memory
 *	     blocks offline and brings them back.  Every pfn is compared after each firing,
 *	     and every byte after each round.  GMEM_PROFILE says for how long: gate and
 *	     full count rounds, soak goes on until it is told to stop.
 * Guards:   broken unless pages of the control moved, the guests wrote meanwhile, bytes
 *	     were compared and every pfn was seen to stay or to move; broken if stress-ng
 *	     ended by itself.
 * Needs:    stress-ng; compaction; two nodes; kprobe events; for blocks that come and go,
 *	     two that are offline, of a node with no other memory.
 * Kills:    no-invalidate, copy-half-page, migrate-core-ignores-unmovable
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "case/gmem_case.h"
#include "case/gmem_kmsg.h"
#include "case/gmem_profile.h"
#include "case/gmem_result.h"
#include "case/gmem_stop.h"
#include "mm/gmem_block.h"
#include "mm/gmem_cma.h"
#include "mm/gmem_heartbeat.h"
#include "mm/gmem_hugetlb.h"
#include "mm/gmem_numa.h"
#include "mm/gmem_stress_ng.h"
#include "observe/gmem_unmap_probe.h"
#include "trigger/gmem_migration.h"
#include "trigger/gmem_trigger.h"
#include "trigger/gmem_variant.h"
#include "trigger/gmem_vm.h"
#include "vm/gmem_config.h"
#include "vm/gmem_expect.h"
#include "vm/gmem_pattern.h"
#include "vm/gmem_region.h"

#define NPAGES	64
#define NGUESTS	3
#define GATE_ROUNDS	3
#define FULL_ROUNDS	300
/* A firing asks for this many huge pages, or pages of CMA. */
#define HUGE_PAGES	8
#define CMA_PAGES	4096

static void huge_fire(struct gmem_migration *migration)
{
	int node = gmem_numa_node(0);
	long pages = gmem_hugetlb_pool(node);

	gmem_hugetlb_resize(node, pages + HUGE_PAGES);
	gmem_hugetlb_resize(node, pages);
}

static enum gmem_skip_reason huge_missing(void)
{
	return gmem_hugetlb_missing(gmem_numa_node(0));
}

static const struct gmem_trigger huge_pages = {
	.name = "huge_pages",
	.missing = huge_missing,
	.fire = huge_fire,
};

static void cma_fire(struct gmem_migration *migration)
{
	size_t chunk = gmem_cma_chunk(), pages = chunk < CMA_PAGES ? chunk : CMA_PAGES;

	if (!__gmem_cma_alloc(pages))
		gmem_cma_free(pages);
}

static const struct gmem_trigger cma = {
	.name = "cma",
	.missing = gmem_cma_missing,
	.fire = cma_fire,
};

static const struct gmem_trigger * const triggers[] = {
	/* The second VM is allocated for this one, so that its pages lie below holes. */
	&gmem_trigger_compact_memory,
	&gmem_trigger_compact_node,
	&gmem_trigger_move_pages,
	&gmem_trigger_move_pages_all,
	&gmem_trigger_mbind,
	&huge_pages,
	&cma,
	&gmem_trigger_migrate_pages,
};

FIXTURE(under_pressure) {
	struct gmem_vm vm[NGUESTS];
	u64 random;
	bool blocks;		/* stress-ng takes memory blocks offline */
};

FIXTURE_SETUP(under_pressure)
{
}

FIXTURE_TEARDOWN(under_pressure)
{
	gmem_stress_ng_stop();
	for (int i = 0; i < NGUESTS; i++)
		gmem_vm_free(&self->vm[i]);
}

static const struct gmem_config optin = GMEM_CONFIG(default, optin_mmap_shared);
static const struct gmem_config plain = GMEM_CONFIG(default, mmap_shared);
static const struct gmem_config private = GMEM_CONFIG(sw_protected, mmap);

/*
 * Creates the @nth VM.  The second one opts in to migration if the kernel is expected to accept
 * that, and the third one has private memory if the machine offers that.
 */
static void create_vm(struct gmem_vm *vm, int nth)
{
	const struct gmem_config *config = &plain;

	if (nth == 1 && gmem_expect_accepted(&optin))
		config = &optin;
	if (nth == 2 && gmem_vm_type_offered(&gmem_vm_sw_protected))
		config = &private;
	gmem_vm_create(vm, nth, config, NPAGES, nth == 1 ? triggers[0] : &huge_pages);
}

/* Returns a random number below @below, which the seed determines. */
static u64 draw(FIXTURE_DATA(under_pressure) * self, u64 below)
{
	self->random = gmem_pattern_key(self->random);
	return self->random % below;
}

/* Fires @trigger at a VM that it can reach, and checks all VMs, which it may affect, too. */
static void fire(FIXTURE_DATA(under_pressure) * self, const struct gmem_trigger *trigger)
{
	struct gmem_vm *target;

	/* Compaction of all memory panics when a block goes offline under it (see known_issues). */
	if (self->blocks && trigger == &gmem_trigger_compact_memory)
		trigger = &gmem_trigger_compact_node;
	do {
		target = &self->vm[draw(self, NGUESTS)];
	} while (trigger->by_address && !target->region->host_maps);
	target->migration->trigger = trigger;
	gmem_migration_trigger(target->migration, target->guest, &target->tally);
	for (int i = 0; i < NGUESTS; i++)
		gmem_vm_check(&self->vm[i], trigger->name);
}

static bool goes_on(unsigned int rounds)
{
	switch (gmem_profile()) {
	case GMEM_PROFILE_FULL:
		return rounds < FULL_ROUNDS;
	case GMEM_PROFILE_SOAK:
		return !gmem_stop_wanted();
	default:
		return rounds < GATE_ROUNDS;
	}
}

/* The first round fires each trigger once, and later ones fire triggers at random. */
static void play_round(FIXTURE_DATA(under_pressure) * self, unsigned int round)
{
	size_t count = ARRAY_SIZE(triggers);

	/* The last one moves all memory of this process, which takes too long here. */
	if (gmem_profile() == GMEM_PROFILE_GATE)
		count--;
	for (size_t nth = 0; nth < count; nth++)
		fire(self, triggers[round ? draw(self, count) : nth]);
	for (int i = 0; i < NGUESTS; i++)
		gmem_vm_verify(&self->vm[i]);
	gmem_kmsg_check();
	if (!gmem_stress_ng_lasts())
		gmem_broken("stress-ng ended by itself");
}

/*
 * Starts stress-ng.  It also takes memory blocks offline and brings them back if there are blocks
 * to spare, and if the profile has the time for it.
 */
static void start_stress(FIXTURE_DATA(under_pressure) * self)
{
	size_t nblocks = 0;
	long blocks[2];

	if (gmem_profile() != GMEM_PROFILE_GATE && __gmem_block_find_offline_node(blocks) >= 0 &&
	    gmem_block_prefer_movable()) {
		gmem_block_find_offline_node(blocks);
		for (nblocks = 0; nblocks < ARRAY_SIZE(blocks); nblocks++)
			gmem_block_online(blocks[nblocks], "online_movable");
	}
	self->blocks = nblocks;
	fprintf(stderr, "# STRESS-NG: %zu memory blocks come and go\n", nblocks);
	gmem_stress_ng_start(blocks, nblocks);
}

static void set_up(FIXTURE_DATA(under_pressure) * self)
{
	self->random = gmem_seed();
	gmem_skip_if(gmem_stress_ng_missing());
	for (int i = 0; i < ARRAY_SIZE(triggers); i++)
		if (triggers[i]->missing)
			gmem_skip_if(triggers[i]->missing());
	gmem_hugetlb_keep(gmem_numa_node(0));
	for (int i = 0; i < NGUESTS; i++)
		create_vm(&self->vm[i], i);
	if (!self->vm[0].region->movable)
		self->vm[0].probe = gmem_unmap_probe_start(self->vm[0].region);
	for (int i = 0; i < NGUESTS; i++)
		gmem_vm_start(&self->vm[i]);
	start_stress(self);
}

TEST_F_TIMEOUT(under_pressure, guests_keep_their_memory, gmem_profile_timeout())
{
	unsigned int rounds = 0, required;
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	set_up(self);
	while (goes_on(rounds)) {
		play_round(self, rounds++);
		gmem_vm_add_up(self->vm, NGUESTS, &tally);
		if (gmem_profile() == GMEM_PROFILE_SOAK)
			gmem_heartbeat(&tally);
	}
	gmem_stress_ng_stop();
	gmem_heartbeat_summary(&tally);
	gmem_heartbeat_check_growth();
	fprintf(stderr, "# ROUNDS %u\n", rounds);

	required = GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED | GMEM_STAYED | GMEM_PLACED;
	if (self->vm[1].region->movable) {
		required |= GMEM_MOVED;
		if (tally.control && !tally.moved)
			gmem_fail(GMEM_LIVENESS,
				  "wanted movable pages to move, got none while %lu pages of the control moved",
				  tally.control);
	}
	gmem_case_pass(&tally, required);
}

/* gmem_stop_begin() has to be called before the harness forks, and so in a constructor. */
static void __attribute__((constructor)) stop_by_signal(void)
{
	const char *profile = getenv("GMEM_PROFILE");

	if (profile && !strcmp(profile, "soak"))
		gmem_stop_begin();
}

TEST_HARNESS_MAIN
