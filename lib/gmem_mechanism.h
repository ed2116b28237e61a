/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mechanisms: what the kernel does to memory of its own accord, or because somebody
 * advises it to, and must never do to guest_memfd.
 *
 * They are triggers (gmem_trigger.h) like those that move folios, and fire through a
 * scene; but what they do to ordinary memory is more than moving: a page of the
 * control counts if it moved, was merged or swapped out, or, as scene->took, if the
 * row says so.  A row whose call must be refused checks that itself (C5).
 *
 * All are for regions that the host maps, with no more than 2 MiB.
 */
#ifndef GMEM_MECHANISM_H
#define GMEM_MECHANISM_H

#include "gmem_trigger.h"

/* Placement. */
extern const struct gmem_trigger gmem_mechanism_numa_balancing;
extern const struct gmem_trigger gmem_mechanism_numa_balancing_policy;
extern const struct gmem_trigger gmem_mechanism_damon_migrate_hot;
extern const struct gmem_trigger gmem_mechanism_damon_migrate_cold;

/* Merging and collapsing. */
extern const struct gmem_trigger gmem_mechanism_ksm;
extern const struct gmem_trigger gmem_mechanism_ksm_process;
extern const struct gmem_trigger gmem_mechanism_madv_collapse;
extern const struct gmem_trigger gmem_mechanism_khugepaged;

/* Reclaim. */
extern const struct gmem_trigger gmem_mechanism_memory_reclaim;
extern const struct gmem_trigger gmem_mechanism_memory_high;
extern const struct gmem_trigger gmem_mechanism_demotion;
extern const struct gmem_trigger gmem_mechanism_madv_pageout;
extern const struct gmem_trigger gmem_mechanism_madv_free;
extern const struct gmem_trigger gmem_mechanism_damon_pageout;
extern const struct gmem_trigger gmem_mechanism_drop_caches;

/* Access tracking. */
extern const struct gmem_trigger gmem_mechanism_madv_cold;
extern const struct gmem_trigger gmem_mechanism_page_idle;
extern const struct gmem_trigger gmem_mechanism_clear_refs;
extern const struct gmem_trigger gmem_mechanism_clear_soft_dirty;

#endif /* GMEM_MECHANISM_H */
