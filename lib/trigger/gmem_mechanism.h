/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mechanisms: what the kernel does to memory of its own accord, or because somebody advises it
 * to, and must never do to guest_memfd.  This header has what their rows of the table share.
 *
 * Mechanisms are triggers (gmem_trigger.h), but they do more to anonymous memory than move it.
 * A page of the control counts if it moved, was merged or swapped out, or if the row counts it
 * as acted upon.  A row whose call the kernel must refuse checks that itself (C5).
 *
 * All mechanisms need a region that the host maps and that is no larger than 2 MiB.
 */
#ifndef GMEM_MECHANISM_H
#define GMEM_MECHANISM_H

#include <stdbool.h>
#include <stddef.h>

struct gmem_migration;

/* Notes that @pages of the control were acted upon in place. */
void gmem_mechanism_count(struct gmem_migration *migration, size_t pages);

/* Rows that count have these as acted_upon() and cleanup() of their struct gmem_trigger. */
size_t gmem_mechanism_acted_upon(struct gmem_migration *migration);
void gmem_mechanism_cleanup(struct gmem_migration *migration);

/*
 * Gives the kernel @advice about the control by madvise(2); @name is what the advice is
 * called.  The case is BROKEN if the kernel refuses it, because the row would prove nothing.
 */
void gmem_mechanism_advise_control(struct gmem_migration *migration, int advice, const char *name);

/*
 * Gives the kernel @advice about the mapping @mem of the whole region.  Fails the case (C5)
 * unless the call ends with the errno @want; that is 0 where the kernel has to accept the
 * advice and to ignore it.
 */
void gmem_mechanism_advise_region(struct gmem_migration *migration, void *mem, int advice,
				  const char *name, int want);

/* Gives the kernel @advice about region and control, which it has to accept for both. */
void gmem_mechanism_advise(struct gmem_migration *migration, int advice, const char *name);

/*
 * Whether more than half of the control has moved since acted_upon() was last called; @arg is
 * the migration.  Each call takes a snapshot of the control, and counts what moved as acted
 * upon.
 */
bool gmem_mechanism_moved_half(void *arg);

/* Returns how far a count went down; a count that went up proves nothing, and gives 0. */
size_t gmem_mechanism_fewer(size_t before, size_t after);

#endif /* GMEM_MECHANISM_H */
