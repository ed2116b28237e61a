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
 * This rests on kprobe_events and instances/ of tracefs.  The event and the instance are
 * removed when the case ends, however it ends.  The case is BROKEN if the kernel lost or
 * missed an event.
 */
#ifndef GMEM_KPROBE_H
#define GMEM_KPROBE_H

#include <linux/types.h>

struct gmem_kprobe;

/*
 * Defines event @name of @kind, which is 'p' for a probe at the function's entry or 'r' for
 * one at its return.  @definition is what follows the event's name in the syntax of
 * Documentation/trace/kprobetrace.rst, and @filter is the event's filter.  Skips the case
 * (no_kprobes) if the kernel does not accept the event.
 */
struct gmem_kprobe *gmem_kprobe_create(const char *name, char kind, const char *definition,
				       const char *filter);

/* Frees @probe, which may be NULL.  The event and the instance stay until the case ends. */
void gmem_kprobe_free(struct gmem_kprobe *probe);

/* Discards what was recorded, and starts to record. */
void gmem_kprobe_arm(struct gmem_kprobe *probe);

/* Stops recording, and keeps what was recorded. */
void gmem_kprobe_disarm(struct gmem_kprobe *probe);

/* Calls @fn with every recorded line and @arg, oldest line first. */
void gmem_kprobe_for_each(struct gmem_kprobe *probe,
			  void (*fn)(const char *line, void *arg), void *arg);

/* Returns the number after "@key=" in @line.  BROKEN if @line has no such key. */
u64 gmem_kprobe_value(const char *line, const char *key);

#endif /* GMEM_KPROBE_H */
