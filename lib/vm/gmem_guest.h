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
 * Between its start and a pause the vCPU never exits of its own accord, so a
 * stale translation stays in use for as long as the hardware keeps it.
 * The generation that each page must hold is kept outside the region.
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

/* A paused guest over @region, whose guest_reaches must be set.  The pages hold
 * nothing yet: the guest finds zeros in them and writes the first generation
 * before this returns.
 */
struct gmem_guest *gmem_guest_create(struct gmem_region *region);

/* The same, but the guest has not touched a page. */
struct gmem_guest *gmem_guest_create_idle(struct gmem_region *region);

/* Only one word of each cache line counts from now on, so that a page is written as
 * often as can be.  To be called before the first write.
 */
void gmem_guest_skim(struct gmem_guest *guest);

/* Stops the vCPU and frees it.  NULL is fine. */
void gmem_guest_free(struct gmem_guest *guest);

/* Sets the paused vCPU to @work on all pages, or on @count of them from @first on. */
void gmem_guest_run(struct gmem_guest *guest, enum gmem_guest_work work);
void gmem_guest_run_on(struct gmem_guest *guest, enum gmem_guest_work work, size_t first,
		       size_t count);

/* Writes the next generation of some pages from the host, while the guest is paused. */
void gmem_guest_write_on_host(struct gmem_guest *guest, size_t first, size_t count);

/* From now on the pages [@first, @first + @count) must read as zeros, until somebody
 * writes them; while the guest is paused.
 */
void gmem_guest_forget(struct gmem_guest *guest, size_t first, size_t count);

/*
 * Of a guest that was set to work: waits until it runs into @page, which is unusable.
 * Fails the case (C12) unless KVM_RUN returned -1 with EHWPOISON and
 * KVM_EXIT_MEMORY_FAULT at that page's address, as KVM's api.rst has it.  Set to the
 * same work again, it goes on with that very access.
 */
void gmem_guest_wait_poison(struct gmem_guest *guest, size_t page);

/* Returns with the vCPU out of guest mode.  Fails the case if the guest found a
 * mismatch (C1), KVM_RUN failed (C2), or the vCPU does not answer (C9).
 */
void gmem_guest_pause(struct gmem_guest *guest);

/* The generation that @page holds; a guest that writes may be at the next one. */
u16 gmem_guest_generation(const struct gmem_guest *guest, size_t page);

/*
 * While the guest writes: true if every word of @page is, where the host maps it, of
 * @generation or a later one, and not of one that the guest has yet to write; 0 will
 * do where @zeros.  If not, *bad is the first wrong one.
 */
bool __gmem_guest_seen_on_host(struct gmem_guest *guest, size_t page, u16 generation,
			       bool zeros, struct gmem_mismatch *bad);

/* Pages handled since creation; grows while the guest runs. */
u64 gmem_guest_progress(const struct gmem_guest *guest);

/* Sends the vCPU to another CPU than the caller's, where there is one, so that it runs
 * while the caller does; see sched_setaffinity(2).
 */
void gmem_guest_give_way(struct gmem_guest *guest);

/* From now on a mismatch is a failure of @clause, C1 until then. */
void gmem_guest_blame(struct gmem_guest *guest, enum gmem_clause clause);

/* True once the guest has handled all pages of its work, or cannot go on. */
bool gmem_guest_passed(struct gmem_guest *guest);

/* Polls until the guest has handled all pages of its work @rounds more times. */
void gmem_guest_wait_rounds(struct gmem_guest *guest, unsigned int rounds);

/* Of a paused guest: compares every byte in the guest, and, where the host maps
 * the region, on the host through a new mapping.  Fails the case on a mismatch
 * (C1).  Returns the bytes compared.
 */
u64 gmem_guest_verify(struct gmem_guest *guest);

#endif /* GMEM_GUEST_H */
