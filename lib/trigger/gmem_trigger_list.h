/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The list of triggers.  A new trigger is a row in a .c file of this directory and a line
 * here; every test that takes the list then has one variant more.
 *
 * Each list is a macro that expands op(argument, ..., name) for each of its rows.
 */
#ifndef GMEM_TRIGGER_LIST_H
#define GMEM_TRIGGER_LIST_H

/* These triggers take addresses, so that the host has to map the memory. */
#define GMEM_TRIGGERS_BY_ADDRESS(op, ...) \
	op(__VA_ARGS__, move_pages) \
	op(__VA_ARGS__, move_pages_all) \
	op(__VA_ARGS__, move_pages_by_other) \
	op(__VA_ARGS__, mbind) \
	op(__VA_ARGS__, migrate_pages) \
	op(__VA_ARGS__, cpuset) \
	op(__VA_ARGS__, longterm_pin)

/* These triggers compact memory, whether or not the host maps it. */
#define GMEM_TRIGGERS_BY_COMPACTION(op, ...) \
	op(__VA_ARGS__, compact_memory) \
	op(__VA_ARGS__, compact_node) \
	op(__VA_ARGS__, hugetlb) \
	op(__VA_ARGS__, thp) \
	op(__VA_ARGS__, proactive)

/* These triggers suffice to show that MMU notifiers reach the guest of an aliased memslot. */
#define GMEM_TRIGGERS_OF_ALIASED(op, ...) \
	op(__VA_ARGS__, move_pages) \
	op(__VA_ARGS__, mbind) \
	op(__VA_ARGS__, compact_memory)

/* Mechanisms serve placement, merging, reclaim or tracking, and must never move guest_memfd. */
#define GMEM_MECHANISMS(op, ...) \
	op(__VA_ARGS__, numa_balancing) \
	op(__VA_ARGS__, numa_balancing_policy) \
	op(__VA_ARGS__, damon_migrate_hot) \
	op(__VA_ARGS__, damon_migrate_cold) \
	op(__VA_ARGS__, ksm) \
	op(__VA_ARGS__, ksm_process) \
	op(__VA_ARGS__, madv_collapse) \
	op(__VA_ARGS__, khugepaged) \
	op(__VA_ARGS__, memory_reclaim) \
	op(__VA_ARGS__, memory_high) \
	op(__VA_ARGS__, demotion) \
	op(__VA_ARGS__, madv_pageout) \
	op(__VA_ARGS__, madv_free) \
	op(__VA_ARGS__, damon_pageout) \
	op(__VA_ARGS__, drop_caches) \
	op(__VA_ARGS__, madv_cold) \
	op(__VA_ARGS__, page_idle) \
	op(__VA_ARGS__, clear_refs) \
	op(__VA_ARGS__, clear_soft_dirty)

/* These mechanisms call MMU notifiers for every page when they act on anonymous memory. */
#define GMEM_NOTIFYING_MECHANISMS(op, ...) \
	op(__VA_ARGS__, numa_balancing) \
	op(__VA_ARGS__, numa_balancing_policy) \
	op(__VA_ARGS__, damon_migrate_hot) \
	op(__VA_ARGS__, damon_migrate_cold) \
	op(__VA_ARGS__, ksm) \
	op(__VA_ARGS__, madv_pageout) \
	op(__VA_ARGS__, page_idle)

#define GMEM_FOR_EACH_TRIGGER(op, ...) \
	GMEM_TRIGGERS_BY_ADDRESS(op, __VA_ARGS__) \
	GMEM_TRIGGERS_BY_COMPACTION(op, __VA_ARGS__) \
	GMEM_MECHANISMS(op, __VA_ARGS__)

#endif /* GMEM_TRIGGER_LIST_H */
