/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Puts back what a case changes, however the case ends.
 *
 *	gmem_sysctl_set("/proc/sys/vm/compaction_proactiveness", "0");
 *
 * A process of its own, the restorer, holds the list of what to put back.  It goes through the
 * list, last entry first, when the case's process is gone, because no handler runs in a process
 * that the harness kills with SIGKILL.  By then the case's memory is free, so that a setting
 * that is put back (one that wakes kcompactd, for example) does not act on it.
 */
#ifndef GMEM_RESTORE_H
#define GMEM_RESTORE_H

/*
 * Waits until no other case of the suite runs on this machine, and starts the restorer.
 * gmem_case_begin() calls this.
 */
void gmem_restore_begin(void);

/* Has the restorer write @text to @path if the file still exists. */
void gmem_restore_write(const char *path, const char *text);

/*
 * Writes @value to the file @path, and has the restorer write the present value back.  The case
 * is BROKEN if the file can be neither read nor written.
 */
void gmem_sysctl_set(const char *path, const char *value);

/* Has the restorer remove the directory @path, a trace instance or a cgroup, if it exists. */
void gmem_restore_rmdir(const char *path);

/*
 * Has the restorer call @restore with copies of @what, of up to 191 characters, and of @text, of
 * up to 127.  The restorer was forked when the case began, so that @restore does not see what
 * the case wrote to memory since.  It can only print errors, because the case has ended.
 */
void gmem_restore_call(void (*restore)(const char *what, const char *text), const char *what,
		       const char *text);

#endif /* GMEM_RESTORE_H */
