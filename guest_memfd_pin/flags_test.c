// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest_memfd flags are accepted, refused and advertised as the expectation says.
 *
 * Contract: C6: each flag alone and in every combination, per VM type.
 * Method:   the test creates a guest_memfd with every subset of the known flags, alone
 *	     and with each further bit of the flags word, and compares the outcome, 0 or
 *	     EINVAL, with the expectation.  It also compares the capability of the VM and
 *	     of /dev/kvm with the expectation.
 * Guards:   broken if no combination was tried, or none was accepted.
 * Needs:    a KVM that reports KVM_CAP_GUEST_MEMFD_FLAGS.
 * Kills:    coco-accepted, cap-bit-missing, opt-in-ignored
 */
#include <errno.h>
#include <unistd.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "case/gmem_case.h"
#include "case/gmem_result.h"
#include "vm/gmem_config.h"
#include "vm/gmem_expect.h"

FIXTURE(flags) {
	struct kvm_vm *vm;
};

FIXTURE_VARIANT(flags) {
	const struct gmem_vm_type *type;
};

FIXTURE_VARIANT_ADD(flags, default) {
	.type = &gmem_vm_default,
};

FIXTURE_VARIANT_ADD(flags, sw_protected) {
	.type = &gmem_vm_sw_protected,
};

FIXTURE_SETUP(flags)
{
}

FIXTURE_TEARDOWN(flags)
{
	if (self->vm)
		kvm_vm_free(self->vm);
}

static struct kvm_vm *create_vm(const struct gmem_vm_type *type)
{
	if (!gmem_vm_type_offered(type))
		gmem_skip(GMEM_SKIP_no_vm_type, "%s", type->name);
	if (!kvm_has_cap(KVM_CAP_GUEST_MEMFD_FLAGS))
		gmem_skip_if(GMEM_SKIP_no_kvm);
	return vm_create_barebones_type(type->type);
}

/*
 * Tries to create a guest_memfd with @flags, and fails the case unless the outcome is the
 * expected one.  Returns whether the kernel accepted the flags.
 */
static bool try_flags(struct kvm_vm *vm, const struct gmem_vm_type *type, u64 flags)
{
	int wanted = flags & ~gmem_expect_flags(type) ? EINVAL : 0;
	int fd = __vm_create_guest_memfd(vm, getpagesize(), flags);
	int err = fd < 0 ? errno : 0;

	if (fd >= 0)
		close(fd);
	if (err != wanted)
		gmem_fail(GMEM_UAPI,
			  "%s VM, flags %#lx (%s), expect %s: wanted errno %d, got %d",
			  type->name, flags, gmem_flags_name(flags), gmem_expect_name(), wanted,
			  err);
	return !err;
}

TEST_F_TIMEOUT(flags, are_accepted_as_expected, GMEM_CASE_TIMEOUT)
{
	const u64 known[] = {
		GUEST_MEMFD_FLAG_MMAP, GUEST_MEMFD_FLAG_INIT_SHARED, gmem_flag_migratable(),
	};
	struct gmem_tally tally = {};
	u64 accepted = 0;

	GMEM_CASE_BEGIN();
	self->vm = create_vm(variant->type);
	for (int subset = 0; subset < BIT(ARRAY_SIZE(known)); subset++) {
		u64 flags = 0;

		for (int i = 0; i < ARRAY_SIZE(known); i++)
			flags |= subset & BIT(i) ? known[i] : 0;
		accepted += try_flags(self->vm, variant->type, flags);
		for (int bit = 0; bit < 64; bit++, tally.verified++)
			accepted += try_flags(self->vm, variant->type, flags | BIT_ULL(bit));
	}
	if (!accepted)
		gmem_broken("no combination was accepted");
	gmem_case_pass(&tally, GMEM_VERIFIED);
}

static void check_advertised(const char *who, u64 wanted, u64 got, struct gmem_tally *tally)
{
	if (got != wanted)
		gmem_fail(GMEM_UAPI,
			  "KVM_CAP_GUEST_MEMFD_FLAGS of %s, expect %s: wanted %#lx, got %#lx",
			  who, gmem_expect_name(), wanted, got);
	tally->verified++;
}

TEST_F_TIMEOUT(flags, are_advertised_as_expected, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	self->vm = create_vm(variant->type);
	check_advertised(variant->type->name, gmem_expect_flags(variant->type),
			 vm_check_cap(self->vm, KVM_CAP_GUEST_MEMFD_FLAGS), &tally);
	/* /dev/kvm does not know the VM type: it advertises every flag that some type accepts. */
	check_advertised("/dev/kvm", gmem_expect_flags(&gmem_vm_default),
			 kvm_check_cap(KVM_CAP_GUEST_MEMFD_FLAGS), &tally);
	gmem_case_pass(&tally, GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
