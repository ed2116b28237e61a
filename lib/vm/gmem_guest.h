/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest: one vCPU that checks and writes stamps while the host migrates.
 *
 *	guest = gmem_guest_create(region);
 *	gmem_guest_run(guest, GMEM_GUEST_WRITE);
 *	gmem_guest_wait_rounds(guest, 1);	every page was written
 *	... migrate ...
 *	gmem_guest_pause(guest);		fails the case on any mismatch
 *	bytes = gmem_guest_verify(guest);	every byte, by guest and host
 *	gmem_guest_free(guest);
 *
 * The guest's code makes no exit to userspace between its start and a pause, so that a stale
 * translation stays in use for as long as the hardware keeps it.  The generation that each page
 * must hold is kept outside the region.
 */
#ifndef GMEM_GUEST_H
#define GMEM_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "case/gmem_result.h"
#include "vm/gmem_guest_code.h"

struct gmem_guest;
struct gmem_mismatch;
struct gmem_region;

/*
 * Returns a paused guest that has found zeros in every page of @region and written the first
 * generation.  Nobody may have written the pages before, and guest_reaches must be set.  Fails
 * the case as gmem_guest_pause() does.
 */
struct gmem_guest *gmem_guest_create(struct gmem_region *region);

/* Returns a paused guest that has not touched a page of @region. */
struct gmem_guest *gmem_guest_create_idle(struct gmem_region *region);

/*
 * Has guest and host write and check one word of each cache line only, so that a page is written
 * as often as possible.  This has to be called before the first write.
 */
void gmem_guest_stamp_lines(struct gmem_guest *guest);

/* Stops the vCPU's thread and frees @guest, which may be NULL. */
void gmem_guest_free(struct gmem_guest *guest);

/*
 * Starts the paused vCPU, which does @work on all pages, or on the pages
 * [@first, @first + @count).
 */
void gmem_guest_run(struct gmem_guest *guest, enum gmem_guest_work work);
void gmem_guest_run_on(struct gmem_guest *guest, enum gmem_guest_work work, size_t first,
		       size_t count);

/*
 * Writes the next generation of pages [@first, @first + @count) from the host, while the guest
 * is paused.
 */
void gmem_guest_write_on_host(struct gmem_guest *guest, size_t first, size_t count);

/*
 * Says that pages [@first, @first + @count) read as zeros from now on, until somebody writes
 * them, because they were freed.  The guest has to be paused.
 */
void gmem_guest_forget(struct gmem_guest *guest, size_t first, size_t count);

/*
 * Waits until the guest, which was started, accesses the poisoned @page.  Fails the case (C12)
 * unless KVM_RUN then returns -1 with EHWPOISON and KVM_EXIT_MEMORY_FAULT at that page's
 * address, as Documentation/virt/kvm/api.rst says, and (C9) if it does not return.  A guest that
 * is started again with the same work repeats that access first.
 */
#define gmem_guest_wait_poison(guest, page) gmem_guest_wait_poison_at(GMEM_HERE, guest, page)
void gmem_guest_wait_poison_at(const struct gmem_location *at, struct gmem_guest *guest,
			       size_t page);

/*
 * Stops the guest, and returns when its vCPU is out of guest mode.  Fails the case if the guest
 * found a mismatch (C1, or see gmem_guest_blame()), if KVM_RUN failed (C2), or if the vCPU does
 * not stop (C9).
 */
#define gmem_guest_pause(guest) gmem_guest_pause_at(GMEM_HERE, guest)
void gmem_guest_pause_at(const struct gmem_location *at, struct gmem_guest *guest);

/* Returns the generation that @page holds.  A running guest may be writing the next one. */
u16 gmem_guest_generation(const struct gmem_guest *guest, size_t page);

/*
 * Compares @page through the host's mapping while the guest writes.  Returns true if every word
 * is of @generation or of a later one, but of none that the guest has not reached yet; with
 * @zeros a word may also be 0.  Otherwise *bad is the first wrong word.
 */
bool __gmem_guest_seen_on_host(struct gmem_guest *guest, size_t page, u16 generation,
			       bool zeros, struct gmem_mismatch *bad);

/* Returns how many pages the guest has handled since its creation. */
u64 gmem_guest_progress(const struct gmem_guest *guest);

/*
 * Moves the vCPU's thread away from the caller's CPU, if it may run on another one, so that both
 * run at the same time (sched_setaffinity(2)).  An error is ignored.
 */
void gmem_guest_leave_cpu(struct gmem_guest *guest);

/* Says which clause a mismatch breaks from now on; without this it is C1. */
void gmem_guest_blame(struct gmem_guest *guest, enum gmem_clause clause);

/* Whether the guest has handled all pages of its work once, or is paused. */
bool gmem_guest_passed(struct gmem_guest *guest);

/*
 * Waits until the guest has handled all pages of its work @rounds more times.  Fails the case as
 * gmem_guest_pause() does.
 */
#define gmem_guest_wait_rounds(guest, rounds) gmem_guest_wait_rounds_at(GMEM_HERE, guest, rounds)
void gmem_guest_wait_rounds_at(const struct gmem_location *at, struct gmem_guest *guest,
			       unsigned int rounds);

/*
 * Compares every byte of the region: the guest, which has to be paused, does so, and also the
 * host, through a new mapping, if host_maps is set.  Fails the case on a mismatch (C1, or see
 * gmem_guest_blame()).  Returns the number of bytes compared.
 */
#define gmem_guest_verify(guest) gmem_guest_verify_at(GMEM_HERE, guest)
u64 gmem_guest_verify_at(const struct gmem_location *at, struct gmem_guest *guest);

#endif /* GMEM_GUEST_H */
