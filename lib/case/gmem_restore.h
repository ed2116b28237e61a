/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Puts back what a case changes, however the case ends.
 *
 *	gmem_sysctl_set("/proc/sys/vm/compaction_proactiveness", "0");
 *
 * A keeper process outside the case's process group holds the list and acts on
 * it, last entry first, when the case's process is gone: a SIGKILL by the
 * harness's time-out runs no handler of ours.  By then the case's memory is gone
 * too, so that what a restored setting wakes (kcompactd) finds it as it was.
 */
#ifndef GMEM_RESTORE_H
#define GMEM_RESTORE_H

/* Waits until no other case of the suite runs on this machine, and starts the
 * keeper.  Called by gmem_case_begin().
 */
void gmem_restore_begin(void);

/* At the end, write @text to the existing file @path. */
void gmem_restore_write(const char *path, const char *text);

/* Writes @value to the file @path, whose present value comes back at the end.
 * BROKEN if that cannot be done.
 */
void gmem_sysctl_set(const char *path, const char *value);

/* At the end, rmdir(2) @path, if it is there: a trace instance or a cgroup. */
void gmem_restore_rmdir(const char *path);

/*
 * At the end, call @restore with copies of @what, of up to 191 characters, and @text, of up
 * to 127.  The keeper calls it, which sees of the case's memory what there was when the
 * case began; what goes wrong it can only print.
 */
void gmem_restore_call(void (*restore)(const char *what, const char *text), const char *what,
		    const char *text);

#endif /* GMEM_RESTORE_H */
