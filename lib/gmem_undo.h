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
#ifndef GMEM_UNDO_H
#define GMEM_UNDO_H

#include <linux/types.h>

/* Waits until no other case of the suite runs on this machine, and starts the
 * keeper.  Called by gmem_case_begin().
 */
void gmem_undo_begin(void);

/* At the end, write @text to the existing file @path. */
void gmem_undo_write(const char *path, const char *text);

/* Writes @value to the file @path, whose present value comes back at the end.
 * BROKEN if that cannot be done.
 */
void gmem_sysctl_set(const char *path, const char *value);

/* At the end, rmdir(2) @path: a trace instance or a cgroup. */
void gmem_undo_rmdir(const char *path);

/* At the end, if @frame is unusable by then (KPF_HWPOISON), bring it back into use by
 * debugfs' hwpoison/unpoison-pfn.
 */
void gmem_undo_unpoison(__u64 frame);

/* At the end, SIGKILL to what is left of process group @group. */
void gmem_undo_kill(int group);

/* At the end, swapoff(2) @path, if it is in use by then. */
void gmem_undo_swapoff(const char *path);

/* At the end, take the memory block with the state file @path offline, if it is there
 * and online by then.  A block that does not go is given up after a while.
 */
void gmem_undo_offline(const char *path);

/* At the end, have QEMU do @command with @arguments, see gmem_qmp.h; an error in
 * reply means that there was nothing to put back.
 */
void gmem_undo_qmp(const char *command, const char *arguments);

/* At the end, have the virtio-mem device shrink to nothing, see gmem_virtio_mem.h. */
void gmem_undo_virtio_mem(void);

#endif /* GMEM_UNDO_H */
