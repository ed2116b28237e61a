/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One test case: how it begins, and the three ways it ends.
 *
 *	TEST_F_TIMEOUT(contents, survive, GMEM_CASE_TIMEOUT)
 *	{
 *		struct gmem_tally tally = {};
 *
 *		GMEM_CASE_BEGIN();
 *		...
 *		gmem_case_pass(&tally, GMEM_MOVED | GMEM_RACED | GMEM_VERIFIED);
 *	}
 *
 * A case that ends in any other way than gmem_case_pass() has not passed: the
 * result line starts out as BROKEN and only the functions below replace it.
 * Result lines read "FAIL C4: ...", "BROKEN: ..." or "SKIP slug: ...".
 */
#ifndef GMEM_CASE_H
#define GMEM_CASE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/types.h>

/* The contract's clauses; docs say what each promises. */
enum gmem_clause {
	GMEM_C1 = 1,	/* contents */
	GMEM_C2,	/* stage-2 */
	GMEM_C3,	/* host mapping */
	GMEM_C4,	/* unmovable */
	GMEM_C5,	/* mechanism only */
	GMEM_C6,	/* UAPI */
	GMEM_C7,	/* placement */
	GMEM_C8,	/* atomicity */
	GMEM_C9,	/* liveness */
	GMEM_C10,	/* accounting */
	GMEM_C11,	/* lifecycle */
	GMEM_C12,	/* memory failure */
	GMEM_C13,	/* diagnostics */
};

/* The closed list of reasons to skip; lab/skip-reasons holds the same one. */
#define GMEM_SKIP_REASONS(GMEM_SKIP) \
	GMEM_SKIP(no_kvm, "no /dev/kvm that offers guest_memfd") \
	GMEM_SKIP(no_vm_type, "this machine does not offer the VM type") \
	GMEM_SKIP(no_private_slots, "KVM takes no slot here that the host cannot map") \
	GMEM_SKIP(no_numa, "fewer than two NUMA nodes with memory") \
	GMEM_SKIP(no_policy_movable, "the policy has no movable guest_memfd of this shape") \
	GMEM_SKIP(no_policy_unmovable, "the policy has no unmovable guest_memfd of this shape") \
	GMEM_SKIP(flag_refused, "the kernel refuses the flag, as the policy says") \
	GMEM_SKIP(no_kprobes, "no kprobe events: frames and stage-2 unmaps cannot be seen") \
	GMEM_SKIP(no_compaction, "the kernel has no compaction of unevictable memory") \
	GMEM_SKIP(no_numa_migration, "the kernel has no move_pages()") \
	GMEM_SKIP(no_cpuset, "no cpuset controller of cgroup v2") \
	GMEM_SKIP(no_huge_pages, "no pool of huge pages, or they are not small beside a node") \
	GMEM_SKIP(no_root, "not root") \
	GMEM_SKIP(no_pagemap, "no frame numbers in /proc/self/pagemap") \
	GMEM_SKIP(no_zone_movable, "no ZONE_MOVABLE, and no memory block that could be one") \
	GMEM_SKIP(no_cma, "no CMA area that can be made half of what its node has free") \
	GMEM_SKIP(no_numa_balancing, "no NUMA balancing, or no knobs to hurry it") \
	GMEM_SKIP(no_ksm, "the kernel has no KSM") \
	GMEM_SKIP(no_thp, "the kernel has no transparent huge pages, or never uses them") \
	GMEM_SKIP(no_memcg, "no memory controller in cgroup v2") \
	GMEM_SKIP(no_tiers, "all memory is of one tier: there is nowhere to demote it") \
	GMEM_SKIP(no_zram, "no zram, without which no ordinary memory can be reclaimed") \
	GMEM_SKIP(no_damon, "no DAMON of physical addresses, or it is in use") \
	GMEM_SKIP(no_page_idle, "the kernel has no idle page tracking") \
	GMEM_SKIP(no_prefault, "no KVM_PRE_FAULT_MEMORY on this machine") \
	GMEM_SKIP(no_memory_failure, "no memory failure handling, or no way to take it back") \
	GMEM_SKIP(no_spare_blocks, "no node whose only memory is two blocks that are offline") \
	GMEM_SKIP(no_qmp, "no QMP port of this machine") \
	GMEM_SKIP(no_dimm, "no DIMM that the kernel can eject and QMP plug again") \
	GMEM_SKIP(no_virtio_mem, "no virtio-mem device, or no driver for it") \
	GMEM_SKIP(kasan_shadow, "KASAN keeps the shadow of a block in the block's own node") \
	GMEM_SKIP(no_stress_ng, "no stress-ng, which makes the pressure")

#define GMEM_SKIP_ENUM(slug, text) GMEM_SKIP_##slug,
enum gmem_skip {
	GMEM_SKIP_none,
	GMEM_SKIP_REASONS(GMEM_SKIP_ENUM)
};

/* What a case did.  Folios are order-0: one per page of the host. */
struct gmem_tally {
	__u64 moved;		/* folios under test whose frame changed */
	__u64 stayed;		/* folios under test whose frame did not */
	__u64 control;		/* ordinary pages beside them that moved, or were acted upon */
	__u64 raced;		/* pages the guest wrote while a trigger ran */
	__u64 verified;		/* bytes compared with what was written */
	__u64 placed;		/* folios under test whose place or flags were right */
};

/* Which counters must be non-zero, lest the pass be vacuous. */
enum {
	GMEM_MOVED	= BIT(0),
	GMEM_STAYED	= BIT(1),
	GMEM_CONTROL	= BIT(2),
	GMEM_RACED	= BIT(3),
	GMEM_VERIFIED	= BIT(4),
	GMEM_PLACED	= BIT(5),
};

/* Seconds; a bound on hangs only, wide enough for the slowest emulator. */
#define GMEM_CASE_TIMEOUT 240

/* Starts a case inside a TEST_F() of kselftest_harness.h. */
#define GMEM_CASE_BEGIN() do { \
	const char *_variant = ""; \
	\
	for (struct __fixture_variant_metadata *_v = _metadata->fixture->variant; \
	     _v; _v = _v->next) \
		if (_v->data == _metadata->variant) \
			_variant = _v->name; \
	gmem_case_begin(_metadata->results->reason, \
			sizeof(_metadata->results->reason), \
			_metadata->fixture->name, _variant, _metadata->name); \
} while (0)

/*
 * Takes the harness's reason buffer (@reason, @size bytes), which becomes the
 * text after "#" on the result line, and the three parts of the case's name.
 * Marks the kernel log and arms gmem_undo.  Asserts nothing.
 */
void gmem_case_begin(char *reason, size_t size, const char *fixture, const char *variant,
		     const char *claim);

/* Ends the case as passed, if every counter in @required is non-zero, the
 * kernel log is clean and nothing has failed; otherwise does not return.
 */
void gmem_case_pass(const struct gmem_tally *tally, unsigned int required);

/* Clause @clause is broken: prints who, where, wanted, got.  Does not return. */
__noreturn __printf(2, 3)
void gmem_fail(enum gmem_clause clause, const char *fmt, ...);

/* Set-up failed and nothing was learnt.  Does not return. */
__noreturn __printf(1, 2)
void gmem_broken(const char *fmt, ...);

/* The case does not apply here, for a reason of the closed list. */
__noreturn __printf(2, 3)
void gmem_skip(enum gmem_skip why, const char *fmt, ...);

/* Skips unless @why is GMEM_SKIP_none. */
void gmem_skip_if(enum gmem_skip why);

/* The run's seed: GMEM_SEED, or random; printed by gmem_case_begin(). */
__u64 gmem_seed(void);

#endif /* GMEM_CASE_H */
