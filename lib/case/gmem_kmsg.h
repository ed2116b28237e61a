/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel-log guard: a WARN, BUG, lockdep or "Bad page" report, or a new taint, since a mark
 * in the log breaks clause C13.  The guard rests on /dev/kmsg and /proc/sys/kernel/tainted.
 */
#ifndef GMEM_KMSG_H
#define GMEM_KMSG_H

#include "case/gmem_result.h"

/*
 * Writes the mark "gmem: begin @name" into the log, and remembers the taint.  The case is BROKEN
 * if that fails.
 */
void gmem_kmsg_mark(const char *name);

/*
 * Fails the case (C13) if a report appeared since the mark or the last check, or a taint since
 * the mark.  The case is BROKEN if records were overwritten before they could be read.
 */
#define gmem_kmsg_check() gmem_kmsg_check_at(GMEM_HERE)
void gmem_kmsg_check_at(const struct gmem_location *at);

#endif /* GMEM_KMSG_H */
