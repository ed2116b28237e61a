/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The expectation: which guest_memfd has to move.  Whoever runs the suite declares it.  It is
 * never inferred from whether a folio moved, because a regression would then become a skip.
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

/*
 * Returns "unmovable", "optin" or "implicit".  The case is BROKEN if GMEM_EXPECT is anything
 * else, or if GMEM_POLICY, as the variable was called, is set.
 */
const char *gmem_expect_name(void);

/* Whether guest_memfd of @config has to move. */
bool gmem_expect_movable(const struct gmem_config *config);

/* Returns the flags that KVM has to accept, and to advertise, for a VM of @type. */
u64 gmem_expect_flags(const struct gmem_vm_type *type);

/* Whether KVM has to accept the flags of @config. */
bool gmem_expect_accepted(const struct gmem_config *config);

/*
 * These skip the case unless guest_memfd of @config has to move (expected_unmovable), or has to
 * stay (expected_movable).  They also skip it where KVM lacks guest_memfd (no_kvm).  Tests call
 * them before they create a VM, because a skip does not need one.
 */
void gmem_require_movable(const struct gmem_config *config);
void gmem_require_unmovable(const struct gmem_config *config);

#endif /* GMEM_EXPECT_H */
