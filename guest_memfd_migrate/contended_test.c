// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page that somebody uses for a moment moves right when it is tried again.
 *
 * Contract: C2: a page that moves at a later attempt, when the kernel may wait for it,
 *	     has its stage-2 mapping dropped as well; C1: contents.
 * Method:   one vCPU checks and rewrites all pages in a loop, faulting back in what was
 *	     unmapped at an attempt that failed; a thread puts half of the pages
 *	     into a pipe by vmsplice(2) and reads them from it, then the other half, over
 *	     and over.  All pages are sent to the other node and back: what is in the
 *	     pipe refuses to move at first.  A probe at the return of guest_memfd's
 *	     migration callback counts pages that moved when the kernel could wait.
 *	     After enough of them guest and host compare every byte.
 * Guards:   broken unless such pages moved, ordinary pages moved, the guest wrote
 *	     meanwhile and bytes were compared.
 * Needs:    a policy with movable memory; two nodes; kprobe events.
 * Kills:    no-invalidate
 */
#include <sys/uio.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "gmem_case.h"
#include "gmem_deadline.h"
#include "gmem_guest.h"
#include "gmem_probe.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_trigger.h"
#include "gmem_variant.h"
#include "gmem_worker.h"

#define NPAGES	32
/* As many as a pipe takes at least. */
#define AT_A_TIME 16
/* Pages that must have moved while the kernel could wait. */
#define ENOUGH	32
#define PATIENCE 20

FIXTURE(contended) {
	struct gmem_region *region;
	struct gmem_scene *scene;
	struct gmem_guest *guest;
	struct gmem_probe *probe;
	int pipe[2];
	char *copy;
	size_t next;		/* page to use */
};

FIXTURE_VARIANT(contended) {
	__u64 flags;
};

#define VARIANT(_flags) \
FIXTURE_VARIANT_ADD(contended, _flags) { \
	.flags = GMEM_FLAGS_##_flags, \
};
VARIANT(optin_mmap_shared)
VARIANT(mmap_shared)

FIXTURE_SETUP(contended)
{
}

FIXTURE_TEARDOWN(contended)
{
	gmem_probe_free(self->probe);
	gmem_guest_free(self->guest);
	gmem_scene_free(self->scene);
	gmem_region_free(self->region);
	free(self->copy);
}

/* Some pages, then others: the pipe refers to them until they have been read from it. */
static void use_pages(void *arg)
{
	FIXTURE_DATA(contended) * self = arg;
	size_t size = AT_A_TIME * self->region->page_size;
	const struct iovec pages = { gmem_region_host(self->region, self->next), size };

	if (vmsplice(self->pipe[1], &pages, 1, 0) != size)
		gmem_broken("vmsplice: %m");
	if (read(self->pipe[0], self->copy, size) != size)
		gmem_broken("reading from the pipe: %m");
	self->next = (self->next + AT_A_TIME) % NPAGES;
}

/* enum migrate_mode: MIGRATE_ASYNC is 0, and what may wait is above. */
static void count_waited(const char *line, void *arg)
{
	__u64 *waited = arg;

	*waited += !gmem_probe_value(line, "ret") && gmem_probe_value(line, "mode");
}

/* Sends all pages; returns how many of them the kernel could wait for. */
static __u64 move(FIXTURE_DATA(contended) * self, struct gmem_tally *tally)
{
	__u64 waited = 0;

	gmem_probe_arm(self->probe);
	gmem_scene_fire(self->scene, self->guest, tally);
	gmem_probe_disarm(self->probe);
	gmem_probe_for_each(self->probe, count_waited, &waited);
	return waited;
}

TEST_F_TIMEOUT(contended, moves_at_last, GMEM_CASE_TIMEOUT)
{
	struct gmem_deadline deadline = gmem_deadline_in(PATIENCE);
	struct gmem_tally tally = {};
	struct gmem_worker *user;
	__u64 waited = 0;

	GMEM_CASE_BEGIN();
	gmem_policy_want_movable(&gmem_vm_default, gmem_flags(variant->flags));
	self->region = gmem_region_create(&gmem_vm_default, gmem_flags(variant->flags), NPAGES);
	self->scene = gmem_scene_create(&gmem_trigger_move_pages, self->region);
	self->guest = gmem_guest_create_idle(self->region);
	gmem_guest_skim(self->guest);
	gmem_guest_run(self->guest, GMEM_GUEST_WRITE);
	gmem_guest_wait_rounds(self->guest, 1);
	self->copy = malloc(AT_A_TIME * self->region->page_size);
	if (!self->copy || pipe(self->pipe))
		gmem_broken("no memory, or no pipe: %m");
	self->probe = gmem_probe_create("migrated", 'r',
					"kvm_gmem_migrate_folio mode=$arg4:u32 ret=$retval:u32",
					"ret == 0");
	gmem_scene_look(self->scene);
	user = gmem_worker_start("using pages", use_pages, self);
	while (waited < ENOUGH && gmem_deadline_poll(&deadline)) {
		waited += move(self, &tally);
		gmem_guest_wait_rounds(self->guest, 1);
	}
	gmem_worker_stop(user);
	if (tally.control && !tally.moved)
		gmem_fail(GMEM_C9, "%s: wanted pages to move, got none",
			  self->scene->trigger->name);
	if (waited < ENOUGH)
		gmem_broken("only %llu pages moved at an attempt that could wait", waited);
	gmem_guest_pause(self->guest);
	tally.verified += gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
