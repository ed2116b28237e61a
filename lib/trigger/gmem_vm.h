/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One of several VMs side by side, each with a region of its own, movable or not.
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
#include <linux/types.h>

#include "case/gmem_case.h"

struct gmem_config;
struct gmem_trigger;

struct gmem_vm {
	struct gmem_region *region;
	struct gmem_migration *migration;
	struct gmem_guest *guest;
	struct gmem_unmap_probe *probe;	/* of unmovable memory, where there is one */
	struct gmem_tally tally;
};

/*
 * Creates the @nth VM, of @config with @npages, all of which the guest has written once;
 * they lie where @trigger has reason to move them.  Each VM has guest frame numbers of its
 * own, because what is unmapped from one VM must not be seen in another.  Fails the case
 * (C7) if unmovable memory is in CMA or ZONE_MOVABLE.
 */
void gmem_vm_create(struct gmem_vm *vm, int nth, const struct gmem_config *config,
		    size_t npages, const struct gmem_trigger *trigger);

/* Has the guest check and rewrite every page from now on. */
void gmem_vm_start(struct gmem_vm *vm);

/*
 * Counts what has moved since the last call.  Fails the case (C4) if unmovable memory has
 * moved or was unmapped; @how says by what.
 */
void gmem_vm_check(struct gmem_vm *vm, const char *how);

/* Compares every byte, after the guest has written each page at least once more. */
void gmem_vm_verify(struct gmem_vm *vm);

/* Adds up in @tally what became of the @count @vms. */
void gmem_vm_add_up(const struct gmem_vm *vms, size_t count, struct gmem_tally *tally);

void gmem_vm_free(struct gmem_vm *vm);

#endif /* GMEM_VM_H */
