/* SPDX-License-Identifier: GPL-2.0-only */
/* Small files of procfs, sysfs, tracefs: one value in, one value out. */
#ifndef GMEM_FILE_H
#define GMEM_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Reads up to @size - 1 bytes of @path into @buf, NUL-terminated, without the
 * trailing newline.  Returns the length, or -errno.
 */
int __gmem_file_read(const char *path, char *buf, size_t size);

/* The number (any C base) in @path; the case is BROKEN if there is none. */
long gmem_file_read_long(const char *path);

/* Writes @text to @path in one write(2), appending where the file takes that
 * (kprobe_events).  Returns 0 or -errno.
 */
int __gmem_file_write(const char *path, const char *text);

/* The same; the case is BROKEN on error. */
void gmem_file_write(const char *path, const char *text);

bool gmem_file_exists(const char *path);

#endif /* GMEM_FILE_H */
