/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Signs of life of a test that runs for hours: a line every 10 s, and whether the kernel
 * comes to hold more memory from five minutes in on.
 *
 *	gmem_heartbeat(&tally);			whenever there is something new
 *	gmem_heartbeat_summary(&tally);
 *	gmem_heartbeat_check_growth();
 *
 * Lines begin with "# HEARTBEAT" and "# SUMMARY"; lab/boot.sh looks for them.
 */
#ifndef GMEM_HEARTBEAT_H
#define GMEM_HEARTBEAT_H

struct gmem_tally;

/* Prints a line with @tally if the last one is 10 s old.  Failures are not in it: the
 * first one ends the case.
 */
void gmem_heartbeat(const struct gmem_tally *tally);

/* Prints what all of it came to. */
void gmem_heartbeat_summary(const struct gmem_tally *tally);

/* Fails by C10 if the kernel holds more memory at the end than after five minutes, by the
 * least of two minutes each.  Nothing to say before nine minutes are over.
 */
void gmem_heartbeat_check_growth(void);

#endif /* GMEM_HEARTBEAT_H */
