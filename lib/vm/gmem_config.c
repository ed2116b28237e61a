// SPDX-License-Identifier: GPL-2.0-only
/* A configuration: the VM type, the flags and the kind of memslot that a guest_memfd has. */
#include <stdio.h>
#include <stdlib.h>

#include "kvm_util.h"

#include "case/gmem_result.h"
#include "vm/gmem_config.h"

/*
 * Kernels whose headers lack the flag have this bit.  Upstream may choose another one:
 * "make GMEM_MIGRATABLE_BIT=" sets it for a build, GMEM_FLAG_MIGRATABLE for a run.
 */
#ifndef GMEM_MIGRATABLE_BIT
#define GMEM_MIGRATABLE_BIT 2
#endif
#ifndef GUEST_MEMFD_FLAG_MIGRATABLE
#define GUEST_MEMFD_FLAG_MIGRATABLE BIT_ULL(GMEM_MIGRATABLE_BIT)
#endif

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

u64 gmem_flag_migratable(void)
{
	const char *given = getenv("GMEM_FLAG_MIGRATABLE");
	static u64 flag;
	char *end;

	if (flag)
		return flag;
	if (!given)
		return flag = GUEST_MEMFD_FLAG_MIGRATABLE;
	flag = strtoull(given, &end, 0);
	if (!flag || *end || (flag & (flag - 1)))
		gmem_broken("GMEM_FLAG_MIGRATABLE=%s is not one bit", given);
	return flag;
}

u64 gmem_config_flags(const struct gmem_config *config)
{
	return config->flags | (config->optin ? gmem_flag_migratable() : 0);
}

const char *gmem_flags_name(u64 flags)
{
	static char name[64];

	snprintf(name, sizeof(name), "%s%s%s",
		 flags & GUEST_MEMFD_FLAG_MMAP ? "|MMAP" : "",
		 flags & GUEST_MEMFD_FLAG_INIT_SHARED ? "|INIT_SHARED" : "",
		 flags & gmem_flag_migratable() ? "|MIGRATABLE" : "");
	return name[0] ? name + 1 : "0";
}

const char *gmem_config_name(const struct gmem_config *config)
{
	static char name[128];

	snprintf(name, sizeof(name), "flags %s, %s VM%s",
		 gmem_flags_name(gmem_config_flags(config)), config->type->name,
		 config->aliased ? ", aliased" : "");
	return name;
}
