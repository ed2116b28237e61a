// SPDX-License-Identifier: GPL-2.0-only
/* The policy: which guest_memfd must move. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_util.h"

#include "gmem_case.h"
#include "gmem_policy.h"

/* Bit of the flag on kernels whose headers do not know it; upstream may choose
 * another: make GMEM_MIGRATABLE_BIT=, or GMEM_FLAG_MIGRATABLE at run time.
 */
#ifndef GMEM_MIGRATABLE_BIT
#define GMEM_MIGRATABLE_BIT 2
#endif
#ifndef GUEST_MEMFD_FLAG_MIGRATABLE
#define GUEST_MEMFD_FLAG_MIGRATABLE BIT_ULL(GMEM_MIGRATABLE_BIT)
#endif

enum policy { UNMOVABLE, OPTIN, IMPLICIT };
static const char * const policy_name[] = { "unmovable", "optin", "implicit" };

const struct gmem_vm_type gmem_vm_default = {
	.name = "default",
	.type = VM_TYPE_DEFAULT,
};

const struct gmem_vm_type gmem_vm_sw_protected = {
	.name = "sw_protected",
#ifdef __x86_64__
	.type = KVM_X86_SW_PROTECTED_VM,
#endif
	.private_mem = true,
};

bool gmem_vm_type_offered(const struct gmem_vm_type *type)
{
	if (type == &gmem_vm_default)
		return true;
#ifdef __x86_64__
	return kvm_check_cap(KVM_CAP_VM_TYPES) & BIT(type->type);
#else
	return false;
#endif
}

__u64 gmem_flag_migratable(void)
{
	const char *given = getenv("GMEM_FLAG_MIGRATABLE");
	char *end;
	__u64 flag;

	if (!given)
		return GUEST_MEMFD_FLAG_MIGRATABLE;
	flag = strtoull(given, &end, 0);
	if (!flag || *end || (flag & (flag - 1)))
		gmem_broken("GMEM_FLAG_MIGRATABLE=%s is not one bit", given);
	return flag;
}

static enum policy policy(void)
{
	const char *given = getenv("GMEM_POLICY");

	if (!given || !*given)
		return kvm_check_cap(KVM_CAP_GUEST_MEMFD_FLAGS) & gmem_flag_migratable() ?
		       OPTIN : UNMOVABLE;
	for (int i = 0; i < ARRAY_SIZE(policy_name); i++)
		if (!strcmp(given, policy_name[i]))
			return i;
	gmem_broken("GMEM_POLICY=%s is none of unmovable, optin, implicit", given);
}

const char *gmem_policy_name(void)
{
	return policy_name[policy()];
}

bool gmem_policy_movable(const struct gmem_vm_type *type, __u64 flags)
{
	if (type->private_mem)
		return false;
	switch (policy()) {
	case UNMOVABLE:
		return false;
	case OPTIN:
		return flags & gmem_flag_migratable();
	case IMPLICIT:
		return true;
	}
	return false;
}

static void want_guest_memfd(void)
{
	if (!kvm_has_cap(KVM_CAP_GUEST_MEMFD))
		gmem_skip_if(GMEM_SKIP_no_kvm);
}

void gmem_policy_want_movable(const struct gmem_vm_type *type, __u64 flags)
{
	want_guest_memfd();
	if (!gmem_policy_movable(type, flags))
		gmem_skip_if(GMEM_SKIP_no_policy_movable);
}

void gmem_policy_want_unmovable(const struct gmem_vm_type *type, __u64 flags)
{
	want_guest_memfd();
	if (gmem_policy_movable(type, flags))
		gmem_skip_if(GMEM_SKIP_no_policy_unmovable);
}

__u64 gmem_policy_flags(const struct gmem_vm_type *type)
{
	__u64 flags = GUEST_MEMFD_FLAG_MMAP;

	if (type->private_mem)
		return flags;
	flags |= GUEST_MEMFD_FLAG_INIT_SHARED;
	if (policy() == OPTIN)
		flags |= gmem_flag_migratable();
	return flags;
}

bool gmem_policy_accepts(const struct gmem_vm_type *type, __u64 flags)
{
	return !(flags & ~gmem_policy_flags(type));
}

const char *gmem_flags_name(__u64 flags)
{
	static char name[64];

	snprintf(name, sizeof(name), "%s%s%s",
		 flags & GUEST_MEMFD_FLAG_MMAP ? "|MMAP" : "",
		 flags & GUEST_MEMFD_FLAG_INIT_SHARED ? "|INIT_SHARED" : "",
		 flags & gmem_flag_migratable() ? "|MIGRATABLE" : "");
	return name[0] ? name + 1 : "0";
}
