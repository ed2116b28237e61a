/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Signs of life from a test that runs for hours: a line every 10 s, and a check that the
 * kernel does not hold ever more memory.
 *
 *	gmem_heartbeat(&tally);			in the test's loop
 *	gmem_heartbeat_summary(&tally);
 *	gmem_heartbeat_check_growth();
 *
 * The lines go to stderr and begin with "# HEARTBEAT" and "# SUMMARY"; lab/boot.sh looks for
 * them.  The figures are from /proc/meminfo.
 */
#ifndef GMEM_HEARTBEAT_H
#define GMEM_HEARTBEAT_H

struct gmem_tally;

/*
 * Prints a line with @tally if the last line is 10 s old.  The line has no count of failures,
 * because the first failure ends the case.
 */
void gmem_heartbeat(const struct gmem_tally *tally);

/* Prints the totals in @tally, and how the kernel's memory has changed. */
void gmem_heartbeat_summary(const struct gmem_tally *tally);

/*
 * Fails the case (C10) if the kernel holds more memory at the end than it did after five
 * minutes.  What it compares is the least of two minutes each, as memory comes and goes;
 * before nine minutes are over there is nothing to compare, and nothing happens.
 */
void gmem_heartbeat_check_growth(void);

#endif /* GMEM_HEARTBEAT_H */
