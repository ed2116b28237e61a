/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One kprobe event in a trace instance of its own.
 *
 *	probe = gmem_probe_create("unmap", 'p', "kvm_unmap_gfn_range start=...", "start < 5");
 *	gmem_probe_arm(probe);
 *	...
 *	gmem_probe_disarm(probe);
 *	gmem_probe_for_each(probe, line_fn, arg);
 *	gmem_probe_free(probe);
 *
 * Rests on tracefs: kprobe_events, instances/.  Event and instance are removed by
 * gmem_undo if the case dies.  A lost or missed event makes the case BROKEN.
 */
#ifndef GMEM_PROBE_H
#define GMEM_PROBE_H

#include <linux/types.h>

struct gmem_probe;

/*
 * Defines event @name of @kind ('p': at entry, 'r': at return) by @definition,
 * in the syntax of Documentation/trace/kprobetrace.rst after the event's name,
 * and sets @filter on it.  Skips the case (no_kprobes) where that is impossible.
 */
struct gmem_probe *gmem_probe_create(const char *name, char kind, const char *definition,
				     const char *filter);

/* NULL is fine.  Event and instance stay until the case ends. */
void gmem_probe_free(struct gmem_probe *probe);

/* Forgets what was recorded, and starts recording. */
void gmem_probe_arm(struct gmem_probe *probe);

/* Stops recording. */
void gmem_probe_disarm(struct gmem_probe *probe);

/* Calls @fn with every recorded line, oldest first. */
void gmem_probe_for_each(struct gmem_probe *probe,
			 void (*fn)(const char *line, void *arg), void *arg);

/* The value of "@key=" in @line; the case is BROKEN if it is not there. */
__u64 gmem_probe_value(const char *line, const char *key);

#endif /* GMEM_PROBE_H */
