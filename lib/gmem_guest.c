// SPDX-License-Identifier: GPL-2.0-only
/* The guest: one vCPU that checks and writes stamps while the host migrates. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <asm/barrier.h>

#include "kvm_util.h"
#include "ucall_common.h"

#include "gmem_board.h"
#include "gmem_case.h"
#include "gmem_deadline.h"
#include "gmem_guest.h"
#include "gmem_pattern.h"
#include "gmem_region.h"
#include "gmem_supervisor.h"

/* Seconds in which a running vCPU must have got somewhere. */
#define PATIENCE 30

struct gmem_guest {
	struct gmem_region *region;
	struct gmem_board *board;	/* the host's view */
	pthread_t thread;
	cpu_set_t cpus;		/* that it may run on */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool paused;
	bool quit;
	enum gmem_clause clause;	/* that a mismatch breaks */
	int run_error;		/* errno of a KVM_RUN that failed */
	char trouble[256];	/* why the vCPU cannot go on */
};

/* Runs the vCPU until it reports itself paused, or is in trouble. */
static void run_until_paused(struct gmem_guest *guest)
{
	struct kvm_vcpu *vcpu = guest->region->vcpu;
	struct ucall uc;

	do {
		if (!_vcpu_run(vcpu))
			continue;
		guest->run_error = errno;
		snprintf(guest->trouble, sizeof(guest->trouble),
			 "KVM_RUN: wanted 0, got errno %d (%s), exit reason %u (%s)",
			 errno, strerror(errno), vcpu->run->exit_reason,
			 exit_reason_str(vcpu->run->exit_reason));
		return;
	} while (vcpu->run->exit_reason == KVM_EXIT_INTR);

	switch (get_ucall(vcpu, &uc)) {
	case UCALL_SYNC:
		return;
	case UCALL_ABORT:
		snprintf(guest->trouble, sizeof(guest->trouble), "guest assertion: %.200s",
			 uc.buffer);
		return;
	default:
		snprintf(guest->trouble, sizeof(guest->trouble),
			 "KVM_RUN: unexpected exit reason %u (%s)",
			 vcpu->run->exit_reason, exit_reason_str(vcpu->run->exit_reason));
	}
}

static void *vcpu_thread(void *arg)
{
	struct gmem_guest *guest = arg;

	/*
	 * It never sleeps, and the scheduler is in no hurry to balance two nodes: what
	 * moves pages, or merges them, would get a fraction of a CPU that it happens
	 * to share with it.
	 */
	if (setpriority(PRIO_PROCESS, 0, 19))
		gmem_broken("setpriority: %m");
	pthread_mutex_lock(&guest->lock);
	for (;;) {
		while (guest->paused && !guest->quit)
			pthread_cond_wait(&guest->changed, &guest->lock);
		if (guest->quit)
			break;
		pthread_mutex_unlock(&guest->lock);
		if (!guest->trouble[0])
			run_until_paused(guest);
		pthread_mutex_lock(&guest->lock);
		guest->paused = true;
		pthread_cond_broadcast(&guest->changed);
	}
	pthread_mutex_unlock(&guest->lock);
	return NULL;
}

/* Fails the case over what a guest that is out of guest mode found. */
static void judge(struct gmem_guest *guest)
{
	struct gmem_board *board = guest->board;
	struct gmem_mismatch *bad = &board->bad;

	if (guest->trouble[0])
		gmem_fail(GMEM_C2, "vCPU: %s", guest->trouble);
	if (board->mismatched)
		gmem_fail(guest->clause,
			  "guest: page %llu at %#llx: want %#llx, got %#llx (%s)",
			  bad->page,
			  guest->region->gpa + bad->page * guest->region->page_size +
			  bad->word * sizeof(__u64), bad->want, bad->got,
			  gmem_mismatch_name(gmem_mismatch_class(board->key, bad)));
}

static bool is_paused(struct gmem_guest *guest)
{
	bool paused;

	pthread_mutex_lock(&guest->lock);
	paused = guest->paused;
	pthread_mutex_unlock(&guest->lock);
	return paused;
}

static void wait_paused(struct gmem_guest *guest)
{
	struct gmem_deadline deadline = gmem_deadline_in(PATIENCE);

	while (!is_paused(guest))
		if (!gmem_deadline_poll(&deadline))
			gmem_fail(GMEM_C9,
				  "vCPU: stuck after %llu pages, does not answer",
				  gmem_guest_progress(guest));
	judge(guest);
}

void gmem_guest_run_on(struct gmem_guest *guest, enum gmem_guest_work work, size_t first,
		       size_t count)
{
	guest->board->first = first;
	guest->board->count = count;
	guest->board->passed = 0;
	WRITE_ONCE(guest->board->work, work);
	WRITE_ONCE(guest->board->stop, 0);
	pthread_mutex_lock(&guest->lock);
	guest->paused = false;
	pthread_cond_broadcast(&guest->changed);
	pthread_mutex_unlock(&guest->lock);
}

void gmem_guest_run(struct gmem_guest *guest, enum gmem_guest_work work)
{
	gmem_guest_run_on(guest, work, 0, guest->region->npages);
}

void gmem_guest_forget(struct gmem_guest *guest, size_t first, size_t count)
{
	for (size_t page = first; page < first + count; page++)
		guest->board->generation[page] = 0;
}

/* How a run ends that meets a page that is unusable. */
static bool met_poison(struct gmem_guest *guest, size_t page)
{
	struct gmem_region *region = guest->region;
	struct kvm_run *run = region->vcpu->run;
	__u64 gpa = region->slot[0].gpa + (page - region->slot[0].first) * region->page_size;

	return guest->trouble[0] && guest->run_error == EHWPOISON &&
	       run->exit_reason == KVM_EXIT_MEMORY_FAULT &&
	       run->memory_fault.gpa / region->page_size == gpa / region->page_size;
}

void gmem_guest_wait_poison(struct gmem_guest *guest, size_t page)
{
	struct gmem_deadline deadline = gmem_deadline_in(PATIENCE);

	while (!is_paused(guest))
		if (!gmem_deadline_poll(&deadline))
			gmem_fail(GMEM_C9, "vCPU: neither reads page %zu nor stops at it", page);
	if (!met_poison(guest, page))
		gmem_fail(GMEM_C12,
			  "vCPU: page %zu: wanted errno %d (%s), exit reason %u (%s) there, got %s",
			  page, EHWPOISON, strerror(EHWPOISON), KVM_EXIT_MEMORY_FAULT,
			  exit_reason_str(KVM_EXIT_MEMORY_FAULT),
			  guest->trouble[0] ? guest->trouble : "something to read");
	guest->run_error = 0;
	guest->trouble[0] = '\0';
}

void gmem_guest_pause(struct gmem_guest *guest)
{
	WRITE_ONCE(guest->board->stop, 1);
	wait_paused(guest);
}

__u64 gmem_guest_progress(const struct gmem_guest *guest)
{
	return READ_ONCE(guest->board->progress);
}

/*
 * At its priority it gets next to nothing of a CPU that it shares, and nothing at all in
 * the milliseconds that a firing takes.  Where it has a single CPU it stays there; and a
 * cpuset may know better, as it is what the guest writes that counts.
 */
void gmem_guest_give_way(struct gmem_guest *guest)
{
	cpu_set_t others = guest->cpus;

	CPU_CLR(sched_getcpu(), &others);
	if (CPU_COUNT(&others))
		pthread_setaffinity_np(guest->thread, sizeof(others), &others);
}

void gmem_guest_blame(struct gmem_guest *guest, enum gmem_clause clause)
{
	guest->clause = clause;
}

bool gmem_guest_passed(struct gmem_guest *guest)
{
	return READ_ONCE(guest->board->passed) || is_paused(guest);
}

void gmem_guest_wait_rounds(struct gmem_guest *guest, unsigned int rounds)
{
	__u64 until = gmem_guest_progress(guest) + rounds * guest->board->count;
	struct gmem_deadline deadline = gmem_deadline_in(PATIENCE);

	while (gmem_guest_progress(guest) < until) {
		if (is_paused(guest))
			break;
		if (!gmem_deadline_poll(&deadline))
			gmem_fail(GMEM_C9,
				  "vCPU: no progress beyond %llu pages, wanted %llu",
				  gmem_guest_progress(guest), until);
	}
	if (is_paused(guest))
		judge(guest);
}

struct gmem_guest *gmem_guest_create_idle(struct gmem_region *region)
{
	struct gmem_guest *guest = calloc(1, sizeof(*guest));

	if (!guest)
		gmem_broken("out of memory");
	guest->region = region;
	guest->clause = GMEM_C1;
	guest->board = gmem_board_create(region);
	guest->paused = true;
	if (sched_getaffinity(0, sizeof(guest->cpus), &guest->cpus))
		gmem_broken("sched_getaffinity: %m");
	pthread_mutex_init(&guest->lock, NULL);
	pthread_cond_init(&guest->changed, NULL);
	if (pthread_create(&guest->thread, NULL, vcpu_thread, guest))
		gmem_broken("pthread_create: %m");
	return guest;
}

struct gmem_guest *gmem_guest_create(struct gmem_region *region)
{
	struct gmem_guest *guest = gmem_guest_create_idle(region);

	gmem_guest_run(guest, GMEM_GUEST_WRITE);
	gmem_guest_wait_rounds(guest, 1);
	gmem_guest_pause(guest);
	return guest;
}

void gmem_guest_skim(struct gmem_guest *guest)
{
	guest->board->step = GMEM_EVERY_LINE;
}

void gmem_guest_free(struct gmem_guest *guest)
{
	if (!guest)
		return;
	WRITE_ONCE(guest->board->stop, 1);
	pthread_mutex_lock(&guest->lock);
	guest->quit = true;
	pthread_cond_broadcast(&guest->changed);
	pthread_mutex_unlock(&guest->lock);
	pthread_join(guest->thread, NULL);
	free(guest);
}

void gmem_guest_write_on_host(struct gmem_guest *guest, size_t first, size_t count)
{
	gmem_board_write_on_host(guest->board, guest->region, first, count);
}

__u16 gmem_guest_generation(const struct gmem_guest *guest, size_t page)
{
	__u16 generation = READ_ONCE(guest->board->generation[page]);

	/* What is read next is no older. */
	smp_rmb();
	return generation;
}

bool __gmem_guest_seen_on_host(struct gmem_guest *guest, size_t page, __u16 generation,
			       bool zeros, struct gmem_mismatch *bad)
{
	return __gmem_board_seen(guest->board, gmem_region_host(guest->region, page), page,
				 generation, zeros, bad);
}

/* By a mapping that did not exist during the moves: an old PTE can be right
 * where the page cache is wrong.
 */
static void verify_on_host(struct gmem_guest *guest)
{
	struct gmem_region *region = guest->region;
	struct gmem_board *board = guest->board;
	size_t size = gmem_region_size(region);
	struct gmem_mismatch bad;
	char *host;

	host = kvm_mmap(size, PROT_READ, MAP_SHARED, region->fd);
	gmem_busy(GMEM_C3, "the host compares guest_memfd");
	for (size_t page = 0; page < region->npages; page++)
		if (!__gmem_board_check(board, host + page * region->page_size, page, &bad))
			gmem_fail(guest->clause,
				  "host: page %llu offset %#llx: want %#llx, got %#llx (%s)",
				  bad.page, bad.page * region->page_size + bad.word * 8,
				  bad.want, bad.got,
				  gmem_mismatch_name(gmem_mismatch_class(board->key, &bad)));
	gmem_idle();
	kvm_munmap(host, size);
}

__u64 gmem_guest_verify(struct gmem_guest *guest)
{
	struct gmem_region *region = guest->region;
	__u64 bytes = gmem_region_size(region);
	__u64 before = gmem_guest_progress(guest);

	gmem_guest_run(guest, GMEM_GUEST_CHECK);
	wait_paused(guest);
	if (gmem_guest_progress(guest) - before != region->npages)
		gmem_broken("the guest checked %llu pages of %zu",
			    gmem_guest_progress(guest) - before, region->npages);
	if (!region->host_maps)
		return bytes;
	verify_on_host(guest);
	return 2 * bytes;
}
