// SPDX-License-Identifier: GPL-2.0-only
/* The expectation: which guest_memfd has to move. */
#include <stdlib.h>
#include <string.h>

#include "kvm_util.h"

#include "case/gmem_result.h"
#include "vm/gmem_config.h"
#include "vm/gmem_expect.h"

enum expectation { UNKNOWN, UNMOVABLE, OPTIN, IMPLICIT };

static const char * const names[] = {
	[UNMOVABLE] = "unmovable",
	[OPTIN] = "optin",
	[IMPLICIT] = "implicit",
};

static enum expectation find(void)
{
	const char *given = getenv("GMEM_EXPECT");

	/* Whoever still sets the variable's old name would be held to another expectation. */
	if (getenv("GMEM_POLICY"))
		gmem_broken("GMEM_POLICY is set, and nothing reads it: set GMEM_EXPECT instead");
	if (!given || !*given)
		return kvm_check_cap(KVM_CAP_GUEST_MEMFD_FLAGS) & gmem_flag_migratable() ?
		       OPTIN : UNMOVABLE;
	for (int i = UNMOVABLE; i < ARRAY_SIZE(names); i++)
		if (!strcmp(given, names[i]))
			return i;
	gmem_broken("GMEM_EXPECT=%s is none of unmovable, optin, implicit", given);
}

/* Returns the expectation, for which a case asks the environment and the kernel only once. */
static enum expectation expectation(void)
{
	static enum expectation found;

	if (found == UNKNOWN)
		found = find();
	return found;
}

const char *gmem_expect_name(void)
{
	return names[expectation()];
}

bool gmem_expect_movable(const struct gmem_config *config)
{
	if (config->type->private_mem)
		return false;
	return expectation() == IMPLICIT || (expectation() == OPTIN && config->optin);
}

u64 gmem_expect_flags(const struct gmem_vm_type *type)
{
	u64 flags = GUEST_MEMFD_FLAG_MMAP;

	if (type->private_mem)
		return flags;
	flags |= GUEST_MEMFD_FLAG_INIT_SHARED;
	if (expectation() == OPTIN)
		flags |= gmem_flag_migratable();
	return flags;
}

bool gmem_expect_accepted(const struct gmem_config *config)
{
	return !(gmem_config_flags(config) & ~gmem_expect_flags(config->type));
}

static void require_guest_memfd(void)
{
	if (!kvm_has_cap(KVM_CAP_GUEST_MEMFD))
		gmem_skip_if(GMEM_SKIP_no_kvm);
}

void gmem_require_movable(const struct gmem_config *config)
{
	require_guest_memfd();
	if (!gmem_expect_movable(config))
		gmem_skip_if(GMEM_SKIP_expected_unmovable);
}

void gmem_require_unmovable(const struct gmem_config *config)
{
	require_guest_memfd();
	if (gmem_expect_movable(config))
		gmem_skip_if(GMEM_SKIP_expected_movable);
}
