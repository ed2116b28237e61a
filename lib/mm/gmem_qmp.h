/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * QMP: the QEMU monitor of the machine that this kernel runs on, for tests that plug and
 * resize the machine's memory.
 *
 *	gmem_skip_if(gmem_qmp_missing());
 *	gmem_qmp_set("virtio-mem", "requested-size", 0);
 *
 * The environment variable GMEM_QMP is the path of a virtio-serial port whose other end is a
 * monitor in QMP mode.  Commands, replies and events are lines of JSON; a reply carries the
 * id of its command.  Only one process at a time can open the port, so each call opens and
 * closes it.
 */
#ifndef GMEM_QMP_H
#define GMEM_QMP_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "case/gmem_result.h"

/*
 * Returns GMEM_SKIP_none if GMEM_QMP is set.  If nobody answers at that port, the calls below
 * report an error.
 */
enum gmem_skip_reason gmem_qmp_missing(void);

/*
 * Makes QEMU execute @command with @arguments, a JSON object, and copies the line of the
 * reply into @reply, a buffer of @size bytes.  Returns 0, -EREMOTEIO if the reply is an
 * error, -ETIME if there was no reply, or the -errno of opening, reading or writing GMEM_QMP.
 */
int __gmem_qmp(const char *command, const char *arguments, char *reply, size_t size);

/* Executes @command as __gmem_qmp() does; BROKEN on error. */
void gmem_qmp(const char *command, const char *arguments, char *reply, size_t size);

/*
 * Read or set the number that is @property of the device with the id @device.  Both return
 * what __gmem_qmp() returns.
 */
int __gmem_qmp_get(const char *device, const char *property, u64 *value);
int __gmem_qmp_set(const char *device, const char *property, u64 value);

/* Read or set the number in the same way; BROKEN on error. */
u64 gmem_qmp_get(const char *device, const char *property);
void gmem_qmp_set(const char *device, const char *property, u64 value);

/* Returns true if QEMU has a memory device (DIMM, virtio-mem) with the id @device. */
bool gmem_qmp_has_memory(const char *device);

#endif /* GMEM_QMP_H */
