/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * QMP: the QEMU monitor of the machine that runs this very kernel, for tests that
 * plug and resize its memory.
 *
 *	gmem_skip_if(gmem_qmp_missing());
 *	gmem_qmp_set("virtio-mem", "requested-size", 0);
 *
 * GMEM_QMP is the path of a port into the machine whose other end is a monitor in
 * QMP mode.  Commands and replies are lines of JSON, events come in between; a
 * reply is known by the id of its command.  A port opens once at a time, so each
 * call opens and closes it.
 */
#ifndef GMEM_QMP_H
#define GMEM_QMP_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "case/gmem_result.h"

/* GMEM_SKIP_none if GMEM_QMP names a port; that nobody answers there is BROKEN. */
enum gmem_skip_reason gmem_qmp_missing(void);

/* Has QEMU do @command with @arguments, a JSON object, and copies the line that it
 * replied with into @reply.  Returns 0, -EREMOTEIO if the reply is an error, -ETIME
 * if there was none, or what opening, reading or writing GMEM_QMP failed with.
 */
int __gmem_qmp(const char *command, const char *arguments, char *reply, size_t size);

/* The same; the case is BROKEN on error. */
void gmem_qmp(const char *command, const char *arguments, char *reply, size_t size);

/* The number that @property of the device with id @device is, or becomes.  Returns as
 * __gmem_qmp() does.
 */
int __gmem_qmp_get(const char *device, const char *property, u64 *value);
int __gmem_qmp_set(const char *device, const char *property, u64 value);

/* The same; the case is BROKEN on error. */
u64 gmem_qmp_get(const char *device, const char *property);
void gmem_qmp_set(const char *device, const char *property, u64 value);

/* True if QEMU has a memory device (DIMM, virtio-mem) with id @device. */
bool gmem_qmp_has_memory(const char *device);

#endif /* GMEM_QMP_H */
