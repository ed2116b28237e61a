// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guests side by side, movable and not, keep what they are promised while everything
 * that moves memory does so at random, under pressure.
 *
 * Contract: C1, C2: every byte that a guest wrote is read back; C4: unmovable memory
 *	     keeps its frames and stage-2 mappings; C7: and is never in CMA or
 *	     ZONE_MOVABLE; C9: movable memory moves, and every guest gets on.
 * Method:   three VMs whose vCPUs check and rewrite every page all the time; triggers
 *	     chosen by the seed: by address, by compaction, by allocating CMA and huge
 *	     pages; stress-ng beside them, in full and soak also taking blocks
 *	     of memory offline and back.  Every frame is looked at after each firing,
 *	     and every byte is compared after each few.  GMEM_PROFILE says for how
 *	     long: gate and full count rounds, soak goes on until it is told to stop.
 * Guards:   broken unless ordinary pages moved, the guests wrote meanwhile, bytes were
 *	     compared and every frame was seen to stay or to move; broken if stress-ng
 *	     ended by itself.
 * Needs:    stress-ng; compaction; two nodes; kprobe events; for blocks that come and go,
 *	     two that are offline, of a node with no other memory.
 * Kills:    no-invalidate, copy-half-page, migrate-core-ignores-unmovable
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "case/gmem_case.h"
#include "case/gmem_kmsg.h"
#include "case/gmem_profile.h"
#include "case/gmem_stop.h"
#include "mm/gmem_anon.h"
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
#include "vm/gmem_expect.h"
#include "vm/gmem_guest.h"
#include "vm/gmem_pattern.h"
#include "vm/gmem_region.h"

#define NPAGES	64
#define NGUESTS	3
#define GATE_ROUNDS	3
#define FULL_ROUNDS	300
/* Huge pages, and pages of CMA, that are asked for at a time. */
#define HUGE_PAGES	8
#define CMA_PAGES	4096

static void huge_fire(struct gmem_migration *migration)
{
	int node = gmem_numa_node(0);
	long was = gmem_hugetlb_pool(node);

	gmem_hugetlb_resize(node, was + HUGE_PAGES);
	gmem_hugetlb_resize(node, was);
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
	/* What the second guest is placed for, so that there are holes. */
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
	bool blocks;		/* of memory come and go */
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

/* Creates a movable VM where the expectation has one, an unmovable, and a private one. */
static void create_vm(struct gmem_vm *vm, int nth)
{
	const struct gmem_config *config = &plain;

	if (nth == 1 && gmem_expect_accepted(&optin))
		config = &optin;
	if (nth == 2 && gmem_vm_type_offered(&gmem_vm_sw_protected))
		config = &private;
	gmem_vm_create(vm, nth, config, NPAGES, nth == 1 ? triggers[0] : &huge_pages);
}

static u64 draw(FIXTURE_DATA(under_pressure) * self, u64 below)
{
	self->random = gmem_pattern_key(self->random);
	return self->random % below;
}

/* Fires @trigger at one of those that it can reach; all of them may be concerned. */
static void fire(FIXTURE_DATA(under_pressure) * self, const struct gmem_trigger *trigger)
{
	struct gmem_vm *target;

	/* Compaction panics when a block goes away under it: known_issues says more. */
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

/* The first round begins with each trigger once, the others have any of them. */
static void play_round(FIXTURE_DATA(under_pressure) * self, unsigned int round)
{
	size_t count = ARRAY_SIZE(triggers);

	/* The last one moves all of this process, which takes its time. */
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

/* With memory blocks beside that come and go, where there are any and it is no matter of
 * seconds.
 */
static void make_noise(FIXTURE_DATA(under_pressure) * self)
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
	fprintf(stderr, "# NOISE: %zu memory blocks come and go\n", nblocks);
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
	make_noise(self);
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
				  "wanted movable pages to move, got none while %lu ordinary pages moved",
				  tally.control);
	}
	gmem_case_pass(&tally, required);
}

/* Before the harness forks, and whoever it is that is told to stop. */
static void __attribute__((constructor)) stop_by_signal(void)
{
	const char *profile = getenv("GMEM_PROFILE");

	if (profile && !strcmp(profile, "soak"))
		gmem_stop_begin();
}

TEST_HARNESS_MAIN
