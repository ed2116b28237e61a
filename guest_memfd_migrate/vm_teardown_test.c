// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VM and its memory can go away while the memory moves.
 *
 * Contract: C11: the last descriptor is closed, the VM destroyed, or its process killed,
 *	     and neither that nor the migration hangs, or touches what is gone; what
 *	     somebody else still maps stays right; C10: nothing of it is left.
 * Method:   a process of its own, the owner, has a VM whose guest writes the file.  This
 *	     process sends the owner's pages to the other node and back.  In the midst of
 *	     a call the owner closes the file before the VM, or after it, or is killed with
 *	     its vCPU in the guest.  Or it is killed while this process moves the pages of
 *	     a mapping of its own, which must hold afterwards what the owner wrote.  Then
 *	     the owner and its VM must be gone, and its pages free.
 * Guards:   broken unless pages moved in a call that was not over when the end came.
 * Needs:    a policy with movable memory; two nodes; a memory cgroup; debugfs.
 * Kills:    no-invalidate-lock, vm-ref-leak
 */
#include <signal.h>
#include <sys/wait.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "case/gmem_case.h"
#include "case/gmem_child.h"
#include "case/gmem_deadline.h"
#include "case/gmem_worker.h"
#include "mm/gmem_numa.h"
#include "observe/gmem_account.h"
#include "trigger/gmem_variant.h"
#include "vm/gmem_expect.h"
#include "vm/gmem_guest.h"
#include "vm/gmem_pattern.h"
#include "vm/gmem_region.h"
#include "vm/gmem_region_create.h"

#define NPAGES	256
/* The last ones, which the owner writes on the host and the guest leaves alone. */
#define STILL	64
#define MOVING	(NPAGES - STILL)
#define ROUNDS	6
#define MOST	40		/* rounds, if no page moves in the midst of an end */
#define SLACK	256		/* pages by which counters may be off */

/* What both processes see. */
struct stage {
	int fd;			/* the owner's guest_memfd */
	char *pages;		/* where the owner maps it; NULL until all is in place */
	u64 started, finished; /* calls of move_pages() */
	u64 at_end;		/* the call in whose midst the end came */
	unsigned int polls;	/* that it takes from the second call's start to the end */
};

FIXTURE(vm_teardown) {
	const FIXTURE_VARIANT(vm_teardown) * variant;
	struct stage *stage;
	int rounds;
	pid_t owner;
	pid_t whose;		/* pages are moved: the owner's, or ours if 0 */
	char *pages;		/* in that process */
	int node;		/* where they are sent next */
	struct gmem_tally tally;
};

FIXTURE_VARIANT(vm_teardown) {
	struct gmem_config config;
	void (*end)(struct gmem_region *region); /* in the owner; NULL: it is killed */
	bool ours;		/* this process maps the file, too */
};

/* The file goes, and its memory with it, while there is a VM. */
static void file_first(struct gmem_region *region)
{
	kvm_munmap(region->host, (region->npages + 1) * region->page_size);
	close(region->fd);
	kvm_vm_free(region->vm);
}

/* The VM is held by the file alone when that goes. */
static void vm_first(struct gmem_region *region)
{
	kvm_vm_free(region->vm);
	kvm_munmap(region->host, (region->npages + 1) * region->page_size);
	close(region->fd);
}

#define VARIANT(_flags, _name, ...) \
GMEM_VARIANT(vm_teardown, _flags##_##_name, GMEM_CONFIG(default, _flags), \
	     	__VA_ARGS__)
VARIANT(optin_mmap_shared, file_first, .end = file_first)
VARIANT(optin_mmap_shared, vm_first, .end = vm_first)
VARIANT(optin_mmap_shared, killed)
VARIANT(optin_mmap_shared, killed_and_ours, .ours = true)
VARIANT(mmap_shared, file_first, .end = file_first)
VARIANT(mmap_shared, vm_first, .end = vm_first)
VARIANT(mmap_shared, killed)
VARIANT(mmap_shared, killed_and_ours, .ours = true)

FIXTURE_SETUP(vm_teardown)
{
}

FIXTURE_TEARDOWN(vm_teardown)
{
}

/* Waits until a call has been under way for a while, and takes note of it. */
static void wait_for_call(struct stage *stage)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_SLOW_TIMEOUT_S);
	unsigned int polls = 0;
	u64 call;

	do {
		call = READ_ONCE(stage->started);
		if (call > 1 && polls++ >= stage->polls && READ_ONCE(stage->finished) != call) {
			WRITE_ONCE(stage->at_end, call);
			return;
		}
	} while (gmem_deadline_poll(&deadline));
	gmem_broken("nobody moves pages");
}

/* The owner: all is in place, then comes the end. */
static void own(void *arg)
{
	FIXTURE_DATA(vm_teardown) * self = arg;
	struct gmem_region *region;
	struct gmem_guest *guest;

	region = gmem_region_create(&self->variant->config, NPAGES);
	guest = gmem_guest_create_idle(region);
	gmem_guest_skim(guest);
	gmem_pattern_write(region->host, 0, NPAGES);
	gmem_guest_run_on(guest, GMEM_GUEST_OVERWRITE, 0, MOVING);
	gmem_guest_wait_rounds(guest, 1);
	if (self->variant->end)
		gmem_guest_free(guest);
	self->stage->fd = region->fd;
	WRITE_ONCE(self->stage->pages, region->host);
	while (!self->variant->end)
		pause();
	wait_for_call(self->stage);
	self->variant->end(region);
}

static void start_owner(FIXTURE_DATA(vm_teardown) * self)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_SLOW_TIMEOUT_S);

	memset(self->stage, 0, sizeof(*self->stage));
	self->stage->polls = BIT(self->rounds++ % ROUNDS);
	self->owner = gmem_child_start(own, self);
	while (!READ_ONCE(self->stage->pages))
		if (!gmem_deadline_poll(&deadline))
			gmem_broken("the owner is not ready; see the log");
	self->whose = self->owner;
	self->pages = self->stage->pages;
}

/* Once, all pages; what becomes of pages that are gone is nobody's business. */
static void move(void *arg)
{
	FIXTURE_DATA(vm_teardown) * self = arg;
	struct stage *stage = self->stage;
	u64 call = stage->started + 1, moved = 0;
	int status[NPAGES];

	memset(status, -1, sizeof(status));
	WRITE_ONCE(stage->started, call);
	__gmem_numa_move(self->whose, self->pages, NPAGES, getpagesize(), self->node, true,
			 status);
	for (int page = 0; page < NPAGES; page++)
		moved += status[page] == self->node;
	self->tally.moved += moved;
	if (READ_ONCE(stage->at_end) == call)
		self->tally.raced += moved;
	WRITE_ONCE(stage->finished, call);
	self->node = gmem_numa_other(self->node);
}

static void map_ours(FIXTURE_DATA(vm_teardown) * self)
{
	int fd = gmem_child_fd(self->owner, self->stage->fd);

	self->pages = kvm_mmap(NPAGES * getpagesize(), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_POPULATE, fd);
	close(fd);
	self->whose = 0;
}

/* The owner comes to an end, one way or the other, while the pages move. */
static void wait_for_end(FIXTURE_DATA(vm_teardown) * self)
{
	int status;

	if (!self->variant->end) {
		wait_for_call(self->stage);
		kill(self->owner, SIGKILL);
	}
	status = gmem_child_wait(self->owner, GMEM_LIFECYCLE, "the VM's process ends");
	if (self->variant->end ? status : !WIFSIGNALED(status))
		gmem_broken("the owner ended with status %#x; see the log", status);
}

static void move_and_end(FIXTURE_DATA(vm_teardown) * self)
{
	struct gmem_worker *mover;

	start_owner(self);
	self->node = gmem_numa_node(1);
	if (self->variant->ours)
		map_ours(self);
	mover = gmem_worker_start("moving pages", move, self);
	wait_for_end(self);
	gmem_worker_stop(mover);
	if (self->variant->ours) {
		self->tally.verified += gmem_pattern_check(self->pages + MOVING * getpagesize(),
							   MOVING, STILL, GMEM_LIFECYCLE,
							   "the VM was killed");
		kvm_munmap(self->pages, NPAGES * getpagesize());
	}
	gmem_account_wait_vms(self->owner);
}

TEST_F_TIMEOUT(vm_teardown, while_it_moves, GMEM_CASE_TIMEOUT)
{
	struct gmem_account before;

	GMEM_CASE_BEGIN();
	gmem_require_movable(&variant->config);
	gmem_account_begin();
	self->variant = variant;
	self->stage = kvm_mmap(sizeof(*self->stage), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1);
	/* The first round makes the kernel fill its own lists and caches. */
	move_and_end(self);
	gmem_account_read(&before);
	while (self->rounds < MOST && (self->rounds < ROUNDS || !self->tally.raced))
		move_and_end(self);
	gmem_account_wait(&before, SLACK);
	if (self->tally.moved && !self->tally.raced)
		gmem_broken("no page moved in a call in whose midst the end came");
	gmem_case_pass(&self->tally, GMEM_MOVED | GMEM_RACED |
		       (variant->ours ? GMEM_VERIFIED : 0));
}

TEST_HARNESS_MAIN
