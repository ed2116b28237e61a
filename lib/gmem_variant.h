/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The combinations of VM type, flags and trigger that tests run over: one list,
 * expanded to FIXTURE_VARIANT_ADD() by each test.
 *
 * A row is op(VM type, flags, trigger).  By-address triggers reach only what the
 * host maps, so they appear with mmap_shared alone.
 */
#ifndef GMEM_VARIANT_H
#define GMEM_VARIANT_H

#include <linux/bits.h>
#include <linux/kvm.h>

#include "gmem_policy.h"
#include "gmem_region.h"

/* Stands for the opt-in flag until run time, when its bit is known. */
#define GMEM_FLAG_OPTIN		BIT_ULL(63)
/* No flag of the file: the slot is aliased. */
#define GMEM_ALIAS		BIT_ULL(62)

#define GMEM_FLAGS_none		0
#define GMEM_FLAGS_mmap		GUEST_MEMFD_FLAG_MMAP
#define GMEM_FLAGS_shared	GUEST_MEMFD_FLAG_INIT_SHARED
#define GMEM_FLAGS_mmap_shared	(GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED)
#define GMEM_FLAGS_optin		GMEM_FLAG_OPTIN
#define GMEM_FLAGS_optin_mmap		(GMEM_FLAG_OPTIN | GMEM_FLAGS_mmap)
#define GMEM_FLAGS_optin_shared		(GMEM_FLAG_OPTIN | GMEM_FLAGS_shared)
#define GMEM_FLAGS_optin_mmap_shared	(GMEM_FLAG_OPTIN | GMEM_FLAGS_mmap_shared)
#define GMEM_FLAGS_mmap_shared_alias	(GMEM_FLAGS_mmap_shared | GMEM_ALIAS)
#define GMEM_FLAGS_optin_mmap_shared_alias (GMEM_FLAGS_optin_mmap_shared | GMEM_ALIAS)

/* The flags as the kernel takes them. */
static inline __u64 gmem_flags(__u64 flags)
{
	__u64 known = flags & ~(GMEM_FLAG_OPTIN | GMEM_ALIAS);

	return flags & GMEM_FLAG_OPTIN ? known | gmem_flag_migratable() : known;
}

static inline struct gmem_region *gmem_variant_region(const struct gmem_vm_type *type,
						      __u64 flags, size_t npages)
{
	if (flags & GMEM_ALIAS)
		return gmem_region_create_aliased(type, gmem_flags(flags), npages);
	return gmem_region_create(type, gmem_flags(flags), npages);
}

/* The pages are named by their address in the host's mapping. */
#define GMEM_BY_ADDRESS(op, type, flags) \
	op(type, flags, move_pages) \
	op(type, flags, move_pages_all) \
	op(type, flags, move_pages_by_other) \
	op(type, flags, mbind) \
	op(type, flags, migrate_pages) \
	op(type, flags, cpuset) \
	op(type, flags, longterm_pin)

/* Where the host maps what the guest has: MMU notifiers reach the guest too. */
#define GMEM_ALIASED(op, type, flags) \
	op(type, flags, move_pages) \
	op(type, flags, mbind) \
	op(type, flags, compact_memory)

#define GMEM_OPTIN_VARIANTS(op) \
	op(default, optin, compact_memory) \
	op(default, optin_mmap, compact_memory) \
	op(default, optin_shared, compact_memory) \
	op(default, optin_mmap_shared, compact_memory) \
	op(default, optin_mmap_shared, compact_node) \
	op(default, optin_mmap_shared, hugetlb) \
	op(default, optin_mmap_shared, thp) \
	op(default, optin_mmap_shared, proactive) \
	GMEM_BY_ADDRESS(op, default, optin_mmap_shared) \
	GMEM_ALIASED(op, default, optin_mmap_shared_alias)

#define GMEM_PLAIN_VARIANTS(op) \
	op(default, none, compact_memory) \
	op(default, mmap, compact_memory) \
	op(default, shared, compact_memory) \
	op(default, mmap_shared, compact_memory) \
	op(default, mmap_shared, compact_node) \
	op(default, mmap_shared, hugetlb) \
	op(default, mmap_shared, thp) \
	op(default, mmap_shared, proactive) \
	GMEM_BY_ADDRESS(op, default, mmap_shared) \
	GMEM_ALIASED(op, default, mmap_shared_alias)

/* VM types with private memory refuse INIT_SHARED and opting in. */
#define GMEM_PRIVATE_VARIANTS(op) \
	op(sw_protected, none, compact_memory) \
	op(sw_protected, mmap, compact_memory)

/* What some policy holds to be movable. */
#define GMEM_MOVABLE_VARIANTS(op) \
	GMEM_OPTIN_VARIANTS(op) \
	GMEM_PLAIN_VARIANTS(op)

/* What some policy holds to be unmovable: everything. */
#define GMEM_UNMOVABLE_VARIANTS(op) \
	GMEM_PLAIN_VARIANTS(op) \
	GMEM_PRIVATE_VARIANTS(op) \
	GMEM_OPTIN_VARIANTS(op)

/* The rows of gmem_mechanism.h: op(flags, row) for each. */
#define GMEM_MECHANISMS(op, flags) \
	op(flags, numa_balancing) \
	op(flags, numa_balancing_policy) \
	op(flags, damon_migrate_hot) \
	op(flags, damon_migrate_cold) \
	op(flags, ksm) \
	op(flags, ksm_process) \
	op(flags, madv_collapse) \
	op(flags, khugepaged) \
	op(flags, memory_reclaim) \
	op(flags, memory_high) \
	op(flags, demotion) \
	op(flags, madv_pageout) \
	op(flags, madv_free) \
	op(flags, damon_pageout) \
	op(flags, drop_caches) \
	op(flags, madv_cold) \
	op(flags, page_idle) \
	op(flags, clear_refs) \
	op(flags, clear_soft_dirty)

/* Those of them that, on ordinary memory, tell MMU notifiers of every page. */
#define GMEM_NOTIFYING_MECHANISMS(op, flags) \
	op(flags, numa_balancing) \
	op(flags, numa_balancing_policy) \
	op(flags, damon_migrate_hot) \
	op(flags, damon_migrate_cold) \
	op(flags, ksm) \
	op(flags, madv_pageout) \
	op(flags, page_idle)

#endif /* GMEM_VARIANT_H */
