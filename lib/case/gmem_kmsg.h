/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel-log guard: WARN, BUG, lockdep, "Bad page" and new taint since a
 * mark break clause C13.  Rests on /dev/kmsg and /proc/sys/kernel/tainted.
 */
#ifndef GMEM_KMSG_H
#define GMEM_KMSG_H

/* Marks the log with "gmem: begin @name" and remembers the taint. */
void gmem_kmsg_mark(const char *name);

/* Fails the case (C13) if a report or new taint appeared since the mark or the last
 * check, and as BROKEN if records were overwritten before they could be read.
 */
void gmem_kmsg_check(void);

#endif /* GMEM_KMSG_H */
