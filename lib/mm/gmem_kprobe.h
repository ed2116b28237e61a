/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One kprobe event in a trace instance of its own.
 *
 *	probe = gmem_kprobe_create("unmap", 'p', "kvm_unmap_gfn_range start=...", "start < 5");
 *	gmem_kprobe_arm(probe);
 *	...
 *	gmem_kprobe_disarm(probe);
 *	gmem_kprobe_for_each(probe, line_fn, arg);
 *	gmem_kprobe_free(probe);
 *
 * Rests on tracefs: kprobe_events, instances/.  Event and instance are removed by
 * gmem_restore if the case dies.  A lost or missed event makes the case BROKEN.
 */
#ifndef GMEM_KPROBE_H
#define GMEM_KPROBE_H

#include <linux/types.h>

struct gmem_kprobe;

/*
 * Defines event @name of @kind ('p': at entry, 'r': at return) by @definition,
 * in the syntax of Documentation/trace/kprobetrace.rst after the event's name,
 * and sets @filter on it.  Skips the case (no_kprobes) where that is impossible.
 */
struct gmem_kprobe *gmem_kprobe_create(const char *name, char kind, const char *definition,
				     const char *filter);

/* NULL is fine.  Event and instance stay until the case ends. */
void gmem_kprobe_free(struct gmem_kprobe *probe);

/* Forgets what was recorded, and starts recording. */
void gmem_kprobe_arm(struct gmem_kprobe *probe);

/* Stops recording. */
void gmem_kprobe_disarm(struct gmem_kprobe *probe);

/* Calls @fn with every recorded line, oldest first. */
void gmem_kprobe_for_each(struct gmem_kprobe *probe,
			 void (*fn)(const char *line, void *arg), void *arg);

/* The value of "@key=" in @line; the case is BROKEN if it is not there. */
u64 gmem_kprobe_value(const char *line, const char *key);

#endif /* GMEM_KPROBE_H */
