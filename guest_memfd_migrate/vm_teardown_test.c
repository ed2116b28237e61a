// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VM and its memory can go away while the memory moves.
 *
 * Contract: C11: the last descriptor is closed, the VM destroyed, or its process killed,
 *	     and neither that nor the migration hangs, or touches what is gone; what
 *	     somebody else still maps stays right; C10: nothing of it is left.
 * Method:   a child process, the owner, has a VM whose guest writes the file.  This
 *	     process sends the owner's pages to the other node and back.  During a call
 *	     of move_pages() the owner closes the file before the VM, or after it, or is
 *	     killed with its vCPU in the guest.  In one more variant the owner is killed
 *	     while this process moves the pages through a mapping of its own, which must
 *	     hold afterwards what the owner wrote.  Then the owner and its VM must be
 *	     gone, and its pages free.
 * Guards:   broken unless pages moved in a call during which the owner closed the file,
 *	     freed the VM or was killed.
 * Needs:    memory that is expected to be movable; two nodes; a memory cgroup; debugfs.
 * Kills:    no-invalidate-lock, vm-ref-leak
 */
#include <signal.h>
#include <sys/wait.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "case/gmem_child.h"
#include "case/gmem_deadline.h"
#include "case/gmem_worker.h"
#include "mm/gmem_numa.h"
#include "observe/gmem_account.h"
#include "trigger/gmem_fixture.h"
#include "vm/gmem_pattern.h"

/*
 * The owner writes all pages once, and its guest rewrites the first GUEST_PAGES of them.  The
 * contents of the other HOST_PAGES are therefore known even after the owner was killed.
 */
#define NPAGES		256
#define HOST_PAGES	64
#define GUEST_PAGES	(NPAGES - HOST_PAGES)
#define ROUNDS		6
#define MAX_ROUNDS	40	/* if no page moves during a teardown */
#define SLACK		256	/* pages by which counters may be off */

/* The owner and this process share this memory. */
struct shared_state {
	int fd;			/* the owner's guest_memfd */
	char *pages;		/* where the owner maps it; NULL until the owner is ready */
	u64 started, finished;	/* calls of move_pages() */
	u64 at_teardown;	/* the call during which the teardown began */
	unsigned int polls;	/* from the start of the second call to the teardown */
};

GMEM_FIXTURE_WITH(vm_teardown, GMEM_MEMBERS(
	const FIXTURE_VARIANT(vm_teardown) * variant;
	struct shared_state *shared;
	int rounds;
	pid_t owner;
	pid_t target;		/* whose pages are moved: the owner's, or ours if 0 */
	char *pages;		/* their address in the target */
	int node;		/* where they are sent next */
	struct gmem_tally tally;
), GMEM_MEMBERS(
	/* Called in the owner; NULL: the owner is killed. */
	void (*teardown)(struct gmem_region *region);
	bool ours;		/* this process maps the file, too */
))

/* Frees the file, and its memory with it, while there still is a VM. */
static void file_first(struct gmem_region *region)
{
	kvm_munmap(region->host, (region->npages + 1) * region->page_size);
	close(region->fd);
	kvm_vm_free(region->vm);
}

/* Frees the VM first, so that the file has the last reference to it when it is closed. */
static void vm_first(struct gmem_region *region)
{
	kvm_vm_free(region->vm);
	kvm_munmap(region->host, (region->npages + 1) * region->page_size);
	close(region->fd);
}

#define VARIANT(_flags, _name, ...) \
GMEM_VARIANT(vm_teardown, _flags##_##_name, GMEM_CONFIG(default, _flags), __VA_ARGS__)
VARIANT(optin_mmap_shared, file_first, .teardown = file_first)
VARIANT(optin_mmap_shared, vm_first, .teardown = vm_first)
VARIANT(optin_mmap_shared, killed)
VARIANT(optin_mmap_shared, killed_and_ours, .ours = true)
VARIANT(mmap_shared, file_first, .teardown = file_first)
VARIANT(mmap_shared, vm_first, .teardown = vm_first)
VARIANT(mmap_shared, killed)
VARIANT(mmap_shared, killed_and_ours, .ours = true)

/*
 * Waits until a call of move_pages() is under way, and notes which one.  How long it waits
 * before it looks differs between rounds, so that teardowns begin at different points.
 */
static void wait_for_call(struct shared_state *shared)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_SLOW_TIMEOUT_S);
	unsigned int polls = 0;
	u64 call;

	do {
		call = READ_ONCE(shared->started);
		if (call > 1 && polls++ >= shared->polls && READ_ONCE(shared->finished) != call) {
			WRITE_ONCE(shared->at_teardown, call);
			return;
		}
	} while (gmem_deadline_poll(&deadline));
	gmem_broken("wanted a call of move_pages() under way, got none");
}

/* The owner creates the VM and has its guest write; then it tears all down or is killed. */
static void run_owner(void *arg)
{
	FIXTURE_DATA(vm_teardown) * self = arg;
	struct gmem_region *region;
	struct gmem_guest *guest;

	region = gmem_region_create(&self->variant->config, NPAGES);
	guest = gmem_guest_create_idle(region);
	gmem_guest_stamp_lines(guest);
	gmem_pattern_write(region->host, 0, NPAGES);
	gmem_guest_run_on(guest, GMEM_GUEST_OVERWRITE, 0, GUEST_PAGES);
	gmem_guest_wait_rounds(guest, 1);
	if (self->variant->teardown)
		gmem_guest_free(guest);
	self->shared->fd = region->fd;
	WRITE_ONCE(self->shared->pages, region->host);
	while (!self->variant->teardown)
		pause();
	wait_for_call(self->shared);
	self->variant->teardown(region);
}

static void start_owner(FIXTURE_DATA(vm_teardown) * self)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_SLOW_TIMEOUT_S);

	memset(self->shared, 0, sizeof(*self->shared));
	self->shared->polls = BIT(self->rounds++ % ROUNDS);
	self->owner = gmem_child_start(run_owner, self);
	while (!READ_ONCE(self->shared->pages))
		if (!gmem_deadline_poll(&deadline))
			gmem_broken("the owner is not ready; see the log");
	self->target = self->owner;
	self->pages = self->shared->pages;
}

/*
 * Sends all pages to the other node once.  What the call says about pages that are gone by
 * then does not matter.
 */
static void move_once(void *arg)
{
	FIXTURE_DATA(vm_teardown) * self = arg;
	struct shared_state *shared = self->shared;
	u64 call = shared->started + 1, moved = 0;
	int status[NPAGES];

	memset(status, -1, sizeof(status));
	WRITE_ONCE(shared->started, call);
	__gmem_numa_move(self->target, self->pages, NPAGES, getpagesize(), self->node, true,
			 status);
	for (int page = 0; page < NPAGES; page++)
		moved += status[page] == self->node;
	self->tally.moved += moved;
	if (READ_ONCE(shared->at_teardown) == call)
		self->tally.raced += moved;
	WRITE_ONCE(shared->finished, call);
	self->node = gmem_numa_other(self->node);
}

/* Maps the owner's file here, and makes these pages the ones that are moved. */
static void map_ours(FIXTURE_DATA(vm_teardown) * self)
{
	int fd = gmem_child_fd(self->owner, self->shared->fd);

	self->pages = kvm_mmap(NPAGES * getpagesize(), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_POPULATE, fd);
	close(fd);
	self->target = 0;
}

/* Waits until the owner has exited, or kills it, while the pages move. */
static void end_owner(FIXTURE_DATA(vm_teardown) * self)
{
	int status;

	if (!self->variant->teardown) {
		wait_for_call(self->shared);
		kill(self->owner, SIGKILL);
	}
	status = gmem_child_wait(self->owner, GMEM_LIFECYCLE, "the VM's process ends");
	if (self->variant->teardown ? status : !WIFSIGNALED(status))
		gmem_broken("the owner ended with status %#x; see the log", status);
}

static void move_during_teardown(FIXTURE_DATA(vm_teardown) * self)
{
	struct gmem_worker *mover;

	start_owner(self);
	self->node = gmem_numa_node(1);
	if (self->variant->ours)
		map_ours(self);
	mover = gmem_worker_start("moving pages", move_once, self);
	end_owner(self);
	gmem_worker_stop(mover);
	if (self->variant->ours) {
		char *host_pages = self->pages + GUEST_PAGES * getpagesize();

		self->tally.verified += gmem_pattern_check(host_pages, GUEST_PAGES, HOST_PAGES,
							   GMEM_LIFECYCLE, "the VM was killed");
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
	self->shared = kvm_mmap(sizeof(*self->shared), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1);
	/* The first round makes the kernel fill its own lists and caches. */
	move_during_teardown(self);
	gmem_account_read(&before);
	while (self->rounds < MAX_ROUNDS && (self->rounds < ROUNDS || !self->tally.raced))
		move_during_teardown(self);
	gmem_account_wait(&before, SLACK);
	if (self->tally.moved && !self->tally.raced)
		gmem_broken("wanted pages to move in a call during a teardown, got none");
	gmem_case_pass(&self->tally, GMEM_MOVED | GMEM_RACED |
		       (variant->ours ? GMEM_VERIFIED : 0));
}

TEST_HARNESS_MAIN
