/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads and writes small files of procfs, sysfs and tracefs, which hold one value each. */
#ifndef GMEM_FILE_H
#define GMEM_FILE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Reads up to @size - 1 bytes of @path into @buf, with one read(2), and ends them with a NUL
 * instead of the trailing newline.  Returns the length, or -errno.
 */
int __gmem_file_read(const char *path, char *buf, size_t size);

/*
 * Returns the number that @path begins with, in any base of C.  The case is BROKEN if there is
 * none.
 */
long gmem_file_read_long(const char *path);

/*
 * Writes @text to the existing file @path with one write(2), which appends where the file
 * supports that (kprobe_events).  Returns 0 or -errno.
 */
int __gmem_file_write(const char *path, const char *text);

/* Does what __gmem_file_write() does, but the case is BROKEN on error. */
void gmem_file_write(const char *path, const char *text);

/* Whether @path exists. */
bool gmem_file_exists(const char *path);

#endif /* GMEM_FILE_H */
