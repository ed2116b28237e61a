/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A configuration: the VM type, the flags and the kind of memslot that a guest_memfd has.
 *
 *	static const struct gmem_config config = GMEM_CONFIG(default, optin_mmap_shared);
 *
 *	region = gmem_region_create(&config, 512);
 *	gmem_fail(GMEM_LIVENESS, "... (%s)", gmem_config_name(&config));
 *
 * The bit that opts in to migration differs between kernels and is known at run time only.
 * A configuration therefore says whether it opts in, and only gmem_config_flags() turns that
 * into the bit.
 */
#ifndef GMEM_CONFIG_H
#define GMEM_CONFIG_H

#include <stdbool.h>
#include <linux/kvm.h>
#include <linux/types.h>

/* A kind of VM, as KVM_CREATE_VM takes it. */
struct gmem_vm_type {
	const char *name;
	unsigned long type;	/* the argument of KVM_CREATE_VM */
	bool private_mem;	/* it has private memory, which is never expected to move */
};

extern const struct gmem_vm_type gmem_vm_default;
extern const struct gmem_vm_type gmem_vm_sw_protected;

struct gmem_config {
	const struct gmem_vm_type *type;
	u64 flags;		/* GUEST_MEMFD_FLAG_*, without the one that opts in */
	bool optin;		/* the file is created with the flag that opts in */
	bool aliased;		/* memslots have the host's mapping as userspace_addr */
};

/* The members that each name of a configuration stands for.  Test variants use these names. */
#define GMEM_CONFIG_none		.flags = 0
#define GMEM_CONFIG_mmap		.flags = GUEST_MEMFD_FLAG_MMAP
#define GMEM_CONFIG_shared		.flags = GUEST_MEMFD_FLAG_INIT_SHARED
#define GMEM_CONFIG_mmap_shared \
	.flags = GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED
#define GMEM_CONFIG_mmap_shared_alias	GMEM_CONFIG_mmap_shared, .aliased = true
#define GMEM_CONFIG_optin		GMEM_CONFIG_none, .optin = true
#define GMEM_CONFIG_optin_mmap		GMEM_CONFIG_mmap, .optin = true
#define GMEM_CONFIG_optin_shared	GMEM_CONFIG_shared, .optin = true
#define GMEM_CONFIG_optin_mmap_shared	GMEM_CONFIG_mmap_shared, .optin = true
#define GMEM_CONFIG_optin_mmap_shared_alias GMEM_CONFIG_optin_mmap_shared, .aliased = true

/* The initializer of a configuration: GMEM_CONFIG(default, optin_mmap_shared). */
#define GMEM_CONFIG(_type, _name) { .type = &gmem_vm_##_type, GMEM_CONFIG_##_name }

/* Whether this kernel and machine can create VMs of @type (KVM_CAP_VM_TYPES). */
bool gmem_vm_type_offered(const struct gmem_vm_type *type);

/*
 * Returns the flag that opts in to migration: GMEM_FLAG_MIGRATABLE of the environment, or else
 * what the kernel's headers or the build say.  The case is BROKEN if it is not one bit.
 */
u64 gmem_flag_migratable(void);

/* Returns the flags of @config as KVM_CREATE_GUEST_MEMFD takes them. */
u64 gmem_config_flags(const struct gmem_config *config);

/*
 * Returns @flags as "MMAP|INIT_SHARED", or "0", in a static buffer that the next call
 * overwrites.
 */
const char *gmem_flags_name(u64 flags);

/*
 * Returns @config as "flags MMAP|INIT_SHARED, default VM" in a static buffer that the next call
 * overwrites.
 */
const char *gmem_config_name(const struct gmem_config *config);

#endif /* GMEM_CONFIG_H */
