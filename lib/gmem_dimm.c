// SPDX-License-Identifier: GPL-2.0-only
/* A DIMM that the kernel can eject and QEMU plug again. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gmem_block.h"
#include "gmem_case.h"
#include "gmem_deadline.h"
#include "gmem_dimm.h"
#include "gmem_file.h"
#include "gmem_qmp.h"
#include "gmem_undo.h"

#define ID	"dimm"

/* Of device_add; its node is the one that it had. */
#define PLUG	"{\"driver\": \"pc-dimm\", \"id\": \"dimm\", \"memdev\": \"dimm\", \"node\": %d}"

/* Sources of an _OST of the ACPI specification: what the kernel was asked for. */
#define DEVICE_CHECK	1
#define OSPM_EJECT	0x103
/* And a status: it was asked, and is at it. */
#define IN_PROGRESS	0x84

/* Seconds for the kernel to eject a DIMM, or to find one. */
#define PATIENCE 10

static char plug[128];

/* Which slot of QEMU's the DIMM is in, or was. */
static char slot[48];

static void eject_path(long block, char *path, size_t size)
{
	snprintf(path, size, "/sys/devices/system/memory/memory%ld/firmware_node/eject", block);
}

static __u64 number(const char *object, const char *key)
{
	const char *value = strstr(object, key);

	if (!value)
		gmem_broken("QMP: wanted %s, got %.200s", key, object);
	return strtoull(value + strlen(key), NULL, 10);
}

/* The entry for the slot of which @part is in query-acpi-ospm-status, or NULL. */
static const char *find_slot(char *reply, size_t size, const char *part)
{
	char *entry;

	gmem_qmp("query-acpi-ospm-status", "{}", reply, size);
	for (entry = strtok(reply, "}"); entry; entry = strtok(NULL, "}"))
		if (strstr(entry, "\"slot-type\": \"DIMM\"") && strstr(entry, part))
			return entry;
	return NULL;
}

/* The kernel's last word about the slot; what is in the slot may be gone. */
static void last_ost(__u64 *source, __u64 *status)
{
	char reply[4096];
	const char *entry = find_slot(reply, sizeof(reply), slot);

	if (!entry)
		gmem_broken("QMP: no DIMM slot is %s", slot);
	*source = number(entry, "\"source\": ");
	*status = number(entry, "\"status\": ");
}

static void remember_slot(void)
{
	char reply[4096];
	const char *entry = find_slot(reply, sizeof(reply), "\"device\": \"" ID "\"");

	if (!entry)
		gmem_broken("QMP: no slot has " ID);
	snprintf(slot, sizeof(slot), "\"slot\": \"%llu\"", number(entry, "\"slot\": \""));
}

/* An error in reply means that it is there. */
static void plug_again(const char *command, const char *arguments)
{
	char reply[512];
	int err = __gmem_qmp(command, arguments, reply, sizeof(reply));

	if (err && err != -EREMOTEIO)
		fprintf(stderr, "# putting back: QMP %s: %s\n", command, strerror(-err));
}

int gmem_dimm_spare(long blocks[2])
{
	char path[96];
	int node;

	gmem_skip_if(gmem_qmp_missing());
	if (!gmem_qmp_has_memory(ID))
		gmem_skip_if(GMEM_SKIP_no_dimm);
	node = __gmem_block_spare(blocks);
	if (node < 0)
		gmem_skip_if(GMEM_SKIP_no_spare_blocks);
	eject_path(blocks[0], path, sizeof(path));
	if (!gmem_file_exists(path))
		gmem_skip_if(GMEM_SKIP_no_dimm);
	/* Before the blocks: what was said last is put back first. */
	snprintf(plug, sizeof(plug), PLUG, node);
	gmem_undo_call(plug_again, "device_add", plug);
	remember_slot();
	return gmem_block_spare(blocks);
}

void gmem_dimm_eject(long block)
{
	char path[96];

	eject_path(block, path, sizeof(path));
	gmem_file_write(path, "1");
}

/*
 * QEMU is without the DIMM before the kernel is done with it, which takes a DIMM that is
 * plugged meanwhile for one that never went.
 */
enum gmem_dimm_state gmem_dimm_wait(__u64 attempts)
{
	struct gmem_deadline deadline = gmem_deadline_in(PATIENCE);
	__u64 until = gmem_block_failures() + attempts;
	__u64 source, status;

	do {
		last_ost(&source, &status);
		if (source != OSPM_EJECT || status == IN_PROGRESS)
			continue;
		if (status)
			return GMEM_DIMM_REFUSED;
		if (gmem_qmp_has_memory(ID))
			gmem_broken("the kernel ejected a DIMM that QEMU still has");
		return GMEM_DIMM_GONE;
	} while (gmem_block_failures() < until && gmem_deadline_poll(&deadline));
	return GMEM_DIMM_BUSY;
}

/* The kernel says so itself, once it is done with it. */
static bool is_found(void)
{
	__u64 source, status;

	last_ost(&source, &status);
	return source == DEVICE_CHECK && !status;
}

void gmem_dimm_plug(long blocks[2])
{
	struct gmem_deadline deadline = gmem_deadline_in(PATIENCE);
	char reply[512];

	gmem_qmp("device_add", plug, reply, sizeof(reply));
	while (!is_found())
		if (!gmem_deadline_poll(&deadline))
			gmem_broken("the kernel does not find a DIMM that was plugged");
	gmem_block_spare(blocks);
}
