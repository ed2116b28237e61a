/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy: which guest_memfd must move.  Declared by whoever runs the suite,
 * never inferred from what a folio did.
 *
 * GMEM_POLICY=unmovable|optin|implicit; without it, optin where
 * KVM_CAP_GUEST_MEMFD_FLAGS advertises the flag, else unmovable.
 */
#ifndef GMEM_POLICY_H
#define GMEM_POLICY_H

#include <stdbool.h>
#include <linux/types.h>

/* A kind of VM, as KVM_CREATE_VM takes it. */
struct gmem_vm_type {
	const char *name;
	unsigned long type;	/* of KVM_CREATE_VM */
	bool private_mem;	/* stands for confidential: never movable */
};

extern const struct gmem_vm_type gmem_vm_default;
extern const struct gmem_vm_type gmem_vm_sw_protected;

/* True if this kernel and machine can create VMs of @type. */
bool gmem_vm_type_offered(const struct gmem_vm_type *type);

/* The opt-in flag: GMEM_FLAG_MIGRATABLE if set, else what the build knows. */
__u64 gmem_flag_migratable(void);

/* True if the policy promises that guest_memfd of @type with @flags moves. */
bool gmem_policy_movable(const struct gmem_vm_type *type, __u64 flags);

/*
 * Skip the case unless the policy has guest_memfd of @type with @flags movable, or
 * unmovable; to be asked first, as it takes no VM to tell.
 */
void gmem_policy_want_movable(const struct gmem_vm_type *type, __u64 flags);
void gmem_policy_want_unmovable(const struct gmem_vm_type *type, __u64 flags);

/* The flags that the policy promises for a VM of @type. */
__u64 gmem_policy_flags(const struct gmem_vm_type *type);

/* True if the policy promises that @flags can be had on a VM of @type. */
bool gmem_policy_accepts(const struct gmem_vm_type *type, __u64 flags);

/* "unmovable", "optin" or "implicit". */
const char *gmem_policy_name(void);

/* Prints @flags as "MMAP|INIT_SHARED" (or "0") into a static buffer. */
const char *gmem_flags_name(__u64 flags);

#endif /* GMEM_POLICY_H */
