// SPDX-License-Identifier: GPL-2.0-only
/* The guest: one vCPU that checks and writes stamps while the host migrates. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <asm/barrier.h>

#include "kvm_util.h"
#include "ucall_common.h"

#include "case/gmem_alloc.h"
#include "case/gmem_deadline.h"
#include "case/gmem_result.h"
#include "case/gmem_watchdog.h"
#include "vm/gmem_guest.h"
#include "vm/gmem_guest_code.h"
#include "vm/gmem_pattern.h"
#include "vm/gmem_region.h"

struct gmem_guest {
	struct gmem_region *region;
	struct gmem_guest_shared *shared;	/* the host's view */
	pthread_t thread;
	cpu_set_t cpus;			/* the thread may run on these */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool paused;
	bool quit;
	enum gmem_clause clause;	/* a mismatch breaks this one */
	int run_error;			/* errno of a KVM_RUN that failed */
	char trouble[256];		/* why the vCPU cannot go on, or empty */
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
	 * This thread never sleeps, and the scheduler is slow to balance load across two nodes.
	 * Without a low priority, a thread that moves or merges pages would get only a fraction
	 * of a CPU that it happens to share with this one.
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

/* Fails the case if the vCPU cannot go on, or found a mismatch. */
static void check_findings(const struct gmem_location *at, struct gmem_guest *guest)
{
	struct gmem_guest_shared *shared = guest->shared;
	struct gmem_mismatch *bad = &shared->bad;

	if (guest->trouble[0])
		gmem_fail_at(at, GMEM_STAGE2, "vCPU: %s", guest->trouble);
	if (shared->mismatched)
		gmem_fail_at(at, guest->clause,
			     "guest: page %lu at %#lx: want %#lx, got %#lx (%s)",
			     bad->page,
			     guest->region->gpa + bad->page * guest->region->page_size +
			     bad->word * sizeof(u64), bad->want, bad->got,
			     gmem_mismatch_name(gmem_mismatch_class(shared->key, bad)));
}

static bool is_paused(struct gmem_guest *guest)
{
	bool paused;

	pthread_mutex_lock(&guest->lock);
	paused = guest->paused;
	pthread_mutex_unlock(&guest->lock);
	return paused;
}

static void wait_paused(const struct gmem_location *at, struct gmem_guest *guest)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_SLOW_TIMEOUT_S);

	while (!is_paused(guest))
		if (!gmem_deadline_poll(&deadline))
			gmem_fail_at(at, GMEM_LIVENESS,
				     "vCPU: stuck after %lu pages, wanted it to stop",
				     gmem_guest_progress(guest));
	check_findings(at, guest);
}

void gmem_guest_run_on(struct gmem_guest *guest, enum gmem_guest_work work, size_t first,
		       size_t count)
{
	guest->shared->first = first;
	guest->shared->count = count;
	guest->shared->passed = 0;
	WRITE_ONCE(guest->shared->work, work);
	WRITE_ONCE(guest->shared->stop, 0);
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
		guest->shared->generation[page] = 0;
}

/* Whether KVM_RUN failed as it has to when the guest accesses the poisoned @page. */
static bool met_poison(struct gmem_guest *guest, size_t page)
{
	struct gmem_region *region = guest->region;
	struct kvm_run *run = region->vcpu->run;
	u64 gpa = region->slot[0].gpa + (page - region->slot[0].first) * region->page_size;

	return guest->trouble[0] && guest->run_error == EHWPOISON &&
	       run->exit_reason == KVM_EXIT_MEMORY_FAULT &&
	       run->memory_fault.gpa / region->page_size == gpa / region->page_size;
}

void gmem_guest_wait_poison_at(const struct gmem_location *at, struct gmem_guest *guest,
			       size_t page)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_SLOW_TIMEOUT_S);

	while (!is_paused(guest))
		if (!gmem_deadline_poll(&deadline))
			gmem_fail_at(at, GMEM_LIVENESS,
				     "vCPU: wanted it to read page %zu or to stop there, got neither",
				     page);
	if (!met_poison(guest, page))
		gmem_fail_at(at, GMEM_MEMORY_FAILURE,
			     "vCPU: page %zu: wanted errno %d (%s), exit reason %u (%s) there, got %s",
			     page, EHWPOISON, strerror(EHWPOISON), KVM_EXIT_MEMORY_FAULT,
			     exit_reason_str(KVM_EXIT_MEMORY_FAULT),
			     guest->trouble[0] ? guest->trouble : "no error");
	guest->run_error = 0;
	guest->trouble[0] = '\0';
}

void gmem_guest_pause_at(const struct gmem_location *at, struct gmem_guest *guest)
{
	WRITE_ONCE(guest->shared->stop, 1);
	wait_paused(at, guest);
}

u64 gmem_guest_progress(const struct gmem_guest *guest)
{
	return READ_ONCE(guest->shared->progress);
}

/*
 * The thread has the lowest priority, so that it would get no time on the caller's CPU in the few
 * milliseconds for which a trigger runs.  It stays there if it may not run on any other CPU.
 * An error, which a cpuset may cause, does not matter: tests count what the guest has written.
 */
void gmem_guest_leave_cpu(struct gmem_guest *guest)
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
	return READ_ONCE(guest->shared->passed) || is_paused(guest);
}

void gmem_guest_wait_rounds_at(const struct gmem_location *at, struct gmem_guest *guest,
			       unsigned int rounds)
{
	u64 until = gmem_guest_progress(guest) + rounds * guest->shared->count;
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_SLOW_TIMEOUT_S);

	while (gmem_guest_progress(guest) < until) {
		if (is_paused(guest))
			break;
		if (!gmem_deadline_poll(&deadline))
			gmem_fail_at(at, GMEM_LIVENESS,
				     "vCPU: no progress beyond %lu pages, wanted %lu",
				     gmem_guest_progress(guest), until);
	}
	if (is_paused(guest))
		check_findings(at, guest);
}

struct gmem_guest *gmem_guest_create_idle(struct gmem_region *region)
{
	struct gmem_guest *guest = gmem_zalloc(1, sizeof(*guest));

	guest->region = region;
	guest->clause = GMEM_CONTENTS;
	guest->shared = gmem_guest_shared_create(region);
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

void gmem_guest_stamp_lines(struct gmem_guest *guest)
{
	guest->shared->step = GMEM_EVERY_LINE;
}

void gmem_guest_free(struct gmem_guest *guest)
{
	if (!guest)
		return;
	WRITE_ONCE(guest->shared->stop, 1);
	pthread_mutex_lock(&guest->lock);
	guest->quit = true;
	pthread_cond_broadcast(&guest->changed);
	pthread_mutex_unlock(&guest->lock);
	pthread_join(guest->thread, NULL);
	free(guest);
}

void gmem_guest_write_on_host(struct gmem_guest *guest, size_t first, size_t count)
{
	gmem_guest_shared_write_on_host(guest->shared, guest->region, first, count);
}

u16 gmem_guest_generation(const struct gmem_guest *guest, size_t page)
{
	u16 generation = READ_ONCE(guest->shared->generation[page]);

	/* A word that the caller reads next is of this generation or of a later one. */
	smp_rmb();
	return generation;
}

bool __gmem_guest_seen_on_host(struct gmem_guest *guest, size_t page, u16 generation,
			       bool zeros, struct gmem_mismatch *bad)
{
	return __gmem_guest_shared_seen(guest->shared, gmem_region_host(guest->region, page), page,
					generation, zeros, bad);
}

/*
 * Compares every byte through a mapping that did not exist during the moves, because an old PTE
 * can be right where the page cache is wrong.
 */
static void verify_on_host(const struct gmem_location *at, struct gmem_guest *guest)
{
	struct gmem_region *region = guest->region;
	struct gmem_guest_shared *shared = guest->shared;
	size_t size = gmem_region_size(region);
	struct gmem_mismatch bad;
	char *host;

	host = kvm_mmap(size, PROT_READ, MAP_SHARED, region->fd);
	gmem_watchdog_arm_at(at, GMEM_HOST_MAPPING, "the host compares guest_memfd");
	for (size_t page = 0; page < region->npages; page++)
		if (!__gmem_guest_shared_check(shared, host + page * region->page_size, page, &bad))
			gmem_fail_at(at, guest->clause,
				     "host: page %lu offset %#lx: want %#lx, got %#lx (%s)",
				     bad.page,
				     bad.page * region->page_size + bad.word * sizeof(u64),
				     bad.want, bad.got,
				     gmem_mismatch_name(gmem_mismatch_class(shared->key, &bad)));
	gmem_watchdog_disarm();
	kvm_munmap(host, size);
}

u64 gmem_guest_verify_at(const struct gmem_location *at, struct gmem_guest *guest)
{
	struct gmem_region *region = guest->region;
	u64 bytes = gmem_region_size(region);
	u64 before = gmem_guest_progress(guest);

	gmem_guest_run(guest, GMEM_GUEST_CHECK);
	wait_paused(at, guest);
	if (gmem_guest_progress(guest) - before != region->npages)
		gmem_broken("the guest checked %lu pages of %zu",
			    gmem_guest_progress(guest) - before, region->npages);
	if (!region->host_maps)
		return bytes;
	verify_on_host(at, guest);
	return 2 * bytes;
}
