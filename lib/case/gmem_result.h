/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The outcome of a case: which clause is broken, why nothing was learnt, or why the case does
 * not apply.
 *
 *	if (pfns[page] != before[page])
 *		gmem_fail(GMEM_UNMOVABLE,
 *			  "page %zu: wanted the same frame, got %#lx instead of %#lx",
 *			  page, pfns[page], before[page]);
 *
 * Every unit of the library may end the case, so this one uses no other.  An outcome is one
 * result line, "FAIL C4: ...", "BROKEN: ..." or "SLUG: ...".  The log has the same line, and
 * after it where the case ended:
 *
 *	# FAIL C4: page 3: wanted the same frame, got 0x40d51 instead of 0x8d91 [seed 0x1]
 *	# at guest_memfd_pin/stays_put_test.c:87 in check_frames(): C4 unmovable
 *
 * A function of the library that checks something for a test is a macro as well, which passes
 * the test's own location on to a function of that name with _at behind it.
 */
#ifndef GMEM_RESULT_H
#define GMEM_RESULT_H

#include <stddef.h>
#include <linux/compiler.h>
#include <linux/types.h>

/* The clauses of the contract; docs/contract.md says what each of them promises. */
#define GMEM_CLAUSES(GMEM_CLAUSE) \
	GMEM_CLAUSE(1, CONTENTS, "contents") \
	GMEM_CLAUSE(2, STAGE2, "stage-2") \
	GMEM_CLAUSE(3, HOST_MAPPING, "host mapping") \
	GMEM_CLAUSE(4, UNMOVABLE, "unmovable") \
	GMEM_CLAUSE(5, MECHANISM_ONLY, "mechanism only") \
	GMEM_CLAUSE(6, UAPI, "UAPI") \
	GMEM_CLAUSE(7, PLACEMENT, "placement") \
	GMEM_CLAUSE(8, ATOMICITY, "atomicity") \
	GMEM_CLAUSE(9, LIVENESS, "liveness") \
	GMEM_CLAUSE(10, ACCOUNTING, "accounting") \
	GMEM_CLAUSE(11, LIFECYCLE, "lifecycle") \
	GMEM_CLAUSE(12, MEMORY_FAILURE, "memory failure") \
	GMEM_CLAUSE(13, DIAGNOSTICS, "diagnostics")

#define GMEM_CLAUSE_ENUM(_number, _word, _name) GMEM_##_word = (_number),
enum gmem_clause {
	GMEM_NO_CLAUSE,
	GMEM_CLAUSES(GMEM_CLAUSE_ENUM)
};

/* The closed list of reasons to skip; lab/skip-reasons holds the same one. */
#define GMEM_SKIP_REASONS(GMEM_SKIP) \
	GMEM_SKIP(no_kvm, "no /dev/kvm that offers guest_memfd") \
	GMEM_SKIP(no_vm_type, "this machine does not offer the VM type") \
	GMEM_SKIP(no_private_slots, "KVM takes no memslot here that the host cannot map") \
	GMEM_SKIP(no_numa, "fewer than two NUMA nodes with memory") \
	GMEM_SKIP(expected_unmovable, "guest_memfd of this shape is expected to be unmovable") \
	GMEM_SKIP(expected_movable, "guest_memfd of this shape is expected to be movable") \
	GMEM_SKIP(flag_refused, "the kernel refuses the flag, as it is expected to") \
	GMEM_SKIP(no_kprobes, "no kprobe events: pfns and stage-2 unmaps cannot be seen") \
	GMEM_SKIP(no_compaction, "the kernel has no compaction of unevictable memory") \
	GMEM_SKIP(no_numa_migration, "the kernel has no move_pages()") \
	GMEM_SKIP(no_cpuset, "no cpuset controller of cgroup v2") \
	GMEM_SKIP(no_huge_pages, "no pool of huge pages, or they are not small beside a node") \
	GMEM_SKIP(no_root, "not root") \
	GMEM_SKIP(no_pagemap, "no pfns in /proc/self/pagemap") \
	GMEM_SKIP(no_zone_movable, "no ZONE_MOVABLE, and no memory block that could be one") \
	GMEM_SKIP(no_cma, "no CMA area that can be made half of what its node has free") \
	GMEM_SKIP(no_numa_balancing, "no NUMA balancing, or no knobs to hurry it") \
	GMEM_SKIP(no_ksm, "the kernel has no KSM") \
	GMEM_SKIP(no_thp, "the kernel has no transparent huge pages, or never uses them") \
	GMEM_SKIP(no_memcg, "no memory controller in cgroup v2") \
	GMEM_SKIP(no_tiers, "all memory is of one tier: there is nowhere to demote it") \
	GMEM_SKIP(no_zram, "no zram, without which no anonymous memory can be reclaimed") \
	GMEM_SKIP(no_damon, "no DAMON of physical addresses, or it is in use") \
	GMEM_SKIP(no_page_idle, "the kernel has no idle page tracking") \
	GMEM_SKIP(no_prefault, "no KVM_PRE_FAULT_MEMORY on this machine") \
	GMEM_SKIP(no_memory_failure, "no memory failure handling, or no way to take it back") \
	GMEM_SKIP(no_offline_blocks, "no node whose only memory is two blocks that are offline") \
	GMEM_SKIP(no_qmp, "no QMP port of this machine") \
	GMEM_SKIP(no_dimm, "no DIMM that the kernel can eject and QMP plug again") \
	GMEM_SKIP(no_virtio_mem, "no virtio-mem device, or no driver for it") \
	GMEM_SKIP(kasan_shadow, "KASAN keeps the shadow of a block in the block's own node") \
	GMEM_SKIP(no_stress_ng, "no stress-ng, which makes the pressure")

#define GMEM_SKIP_ENUM(slug, text) GMEM_SKIP_##slug,
enum gmem_skip_reason {
	GMEM_SKIP_none,
	GMEM_SKIP_REASONS(GMEM_SKIP_ENUM)
};

/* A location in the source, where one of the macros below is called. */
struct gmem_location {
	const char *file;
	int line;
	const char *function;
};

#define GMEM_HERE (&(const struct gmem_location){ __FILE__, __LINE__, __func__ })

/*
 * The three ways to end a case early.  None of them returns, and each may be called by
 * any thread or child of the case.  The first that is called decides, even if it only ends a
 * child and the case goes on.
 */

/* Clause @clause is broken.  The message says who, where, what was wanted, and what was got. */
#define gmem_fail(clause, ...) gmem_fail_at(GMEM_HERE, clause, __VA_ARGS__)

/* The machine or the set-up lacks something, and nothing was learnt about the kernel. */
#define gmem_broken(...) gmem_broken_at(GMEM_HERE, __VA_ARGS__)

/* The case does not apply here, for the reason @why of the closed list. */
#define gmem_skip(why, ...) gmem_skip_at(GMEM_HERE, why, __VA_ARGS__)

/* Skips the case, in the words of the closed list, unless @why is GMEM_SKIP_none. */
#define gmem_skip_if(why) gmem_skip_if_at(GMEM_HERE, why)

/* The macros call these; @at is where the case ends. */
__noreturn __printf(3, 4)
void gmem_fail_at(const struct gmem_location *at, enum gmem_clause clause, const char *fmt, ...);
__noreturn __printf(2, 3)
void gmem_broken_at(const struct gmem_location *at, const char *fmt, ...);
__noreturn __printf(3, 4)
void gmem_skip_at(const struct gmem_location *at, enum gmem_skip_reason why, const char *fmt, ...);
void gmem_skip_if_at(const struct gmem_location *at, enum gmem_skip_reason why);

/*
 * Takes the buffer of @size bytes at @reason for the result line.  It says BROKEN from now
 * on, so that a case which ends in any other way than gmem_result_pass() has not passed.
 */
void gmem_result_begin(char *reason, size_t size);

/*
 * The case has passed, unless something fails after this.  If a child of the case has reported an
 * outcome, the case ends with that one instead.
 */
void gmem_result_pass(void);

/* Has @hook called with the exit status when the case ends early; there is one hook. */
void gmem_result_on_exit(void (*hook)(int status));

/*
 * The seed of the run: GMEM_SEED of the environment, which has to be a number, or else a
 * random one.  It is never 0.
 */
u64 gmem_seed(void);

#endif /* GMEM_RESULT_H */
