/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The expectation: which guest_memfd has to move.  Whoever runs the suite declares it, and
 * it is never inferred from what a folio did, because a regression would turn into a skip.
 *
 *	gmem_require_movable(&variant->config);
 *
 * GMEM_EXPECT of the environment is unmovable, optin or implicit.  Without it, optin holds
 * where KVM_CAP_GUEST_MEMFD_FLAGS advertises the flag, and unmovable elsewhere.
 */
#ifndef GMEM_EXPECT_H
#define GMEM_EXPECT_H

#include <stdbool.h>
#include <linux/types.h>

struct gmem_config;
struct gmem_vm_type;

/* "unmovable", "optin" or "implicit"; the case is BROKEN if GMEM_EXPECT is anything else. */
const char *gmem_expect_name(void);

/* Whether guest_memfd of @config has to move. */
bool gmem_expect_movable(const struct gmem_config *config);

/* The flags that KVM has to accept, and to advertise, for a VM of @type. */
u64 gmem_expect_flags(const struct gmem_vm_type *type);

/* Whether KVM has to accept the flags of @config. */
bool gmem_expect_accepted(const struct gmem_config *config);

/*
 * Skip the case unless guest_memfd of @config has to move (expected_unmovable), or has to
 * stay (expected_movable).  They also skip it where KVM lacks guest_memfd (no_kvm).  Tests
 * ask first, as this takes no VM.
 */
void gmem_require_movable(const struct gmem_config *config);
void gmem_require_unmovable(const struct gmem_config *config);

#endif /* GMEM_EXPECT_H */
