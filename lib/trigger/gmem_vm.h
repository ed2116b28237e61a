/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One of several VMs of a case, each with a movable or unmovable region of its own.
 *
 *	gmem_vm_create(&vm, nth, &config, 64, trigger);
 *	gmem_vm_start(&vm);
 *	... fire triggers ...
 *	gmem_vm_check(&vm, "compact_memory");
 *	gmem_vm_verify(&vm);
 *	gmem_vm_free(&vm);
 */
#ifndef GMEM_VM_H
#define GMEM_VM_H

#include <stddef.h>

#include "case/gmem_case.h"

struct gmem_config;
struct gmem_trigger;

struct gmem_vm {
	struct gmem_region *region;
	struct gmem_migration *migration;
	struct gmem_guest *guest;
	struct gmem_unmap_probe *probe;	/* the test may set it if the region is unmovable */
	struct gmem_tally tally;
};

/*
 * Creates the @nth VM, of @config.  Its @npages pages lie where @trigger has reason to move
 * them, and the guest has written each of them once.  No two VMs have a gfn in common, because
 * an unmap probe sees gfns only and could not tell the VMs apart.  Fails the case (C7) if
 * unmovable memory is in CMA or ZONE_MOVABLE.
 */
void gmem_vm_create(struct gmem_vm *vm, int nth, const struct gmem_config *config,
		    size_t npages, const struct gmem_trigger *trigger);

/* Makes the guest check and rewrite every page, over and over. */
void gmem_vm_start(struct gmem_vm *vm);

/*
 * Counts what has moved since the last call.  Fails the case (C4) if unmovable memory has moved
 * or was unmapped; @how says by what.
 */
void gmem_vm_check(struct gmem_vm *vm, const char *how);

/* Compares every byte, after the guest has written each page at least once more. */
void gmem_vm_verify(struct gmem_vm *vm);

/* Sets @tally to the sum of what the @count @vms have counted. */
void gmem_vm_add_up(const struct gmem_vm *vms, size_t count, struct gmem_tally *tally);

/* Frees all that belongs to @vm. */
void gmem_vm_free(struct gmem_vm *vm);

#endif /* GMEM_VM_H */
