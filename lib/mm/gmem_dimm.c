// SPDX-License-Identifier: GPL-2.0-only
/* A DIMM that the kernel can eject and QEMU can plug again. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "case/gmem_deadline.h"
#include "case/gmem_file.h"
#include "case/gmem_restore.h"
#include "case/gmem_result.h"
#include "mm/gmem_block.h"
#include "mm/gmem_dimm.h"
#include "mm/gmem_kprobe.h"
#include "mm/gmem_qmp.h"

#define ID	"dimm"

/* The arguments of device_add; the DIMM gets the node that it had. */
#define DEVICE_ADD "{\"driver\": \"pc-dimm\", \"id\": \"dimm\", \"memdev\": \"dimm\", \"node\": %d}"

/* The source of an _OST, as in the ACPI specification: the request that it answers. */
#define DEVICE_CHECK	1
#define OSPM_EJECT	0x103
/* A filter for the probe, which ignores the _OST status "ejection in progress". */
#define IS_FINAL "status != 0x84"

static char device_add[128];

/* Records each _OST, by which the kernel reports to the firmware, and so to QEMU. */
static struct gmem_kprobe *ost;

struct answer {
	u64 source;		/* the request to look for */
	bool given;
	u64 status;		/* 0 is success */
};

static void eject_path(long block, char *path, size_t size)
{
	snprintf(path, size, "/sys/devices/system/memory/memory%ld/firmware_node/eject", block);
}

static void note_answer(const char *line, void *arg)
{
	struct answer *answer = arg;

	if (gmem_kprobe_value(line, "source") != answer->source)
		return;
	answer->given = true;
	answer->status = gmem_kprobe_value(line, "status");
}

/* Returns true once the kernel has answered the request @source, and with which @status. */
static bool is_answered(u64 source, u64 *status)
{
	struct answer answer = { .source = source };

	gmem_kprobe_for_each(ost, note_answer, &answer);
	*status = answer.status;
	return answer.given;
}

/* Plugs the DIMM at the end of a case.  QEMU refuses that if the DIMM is still plugged. */
static void restore_dimm(const char *command, const char *arguments)
{
	char reply[512];
	int err = __gmem_qmp(command, arguments, reply, sizeof(reply));

	if (err && err != -EREMOTEIO)
		fprintf(stderr, "# putting back: QMP %s: %s\n", command, strerror(-err));
}

int gmem_dimm_find(long blocks[2])
{
	char path[96];
	int node;

	gmem_skip_if(gmem_qmp_missing());
	if (!gmem_qmp_has_memory(ID))
		gmem_skip_if(GMEM_SKIP_no_dimm);
	node = __gmem_block_find_offline_node(blocks);
	if (node < 0)
		gmem_skip_if(GMEM_SKIP_no_offline_blocks);
	eject_path(blocks[0], path, sizeof(path));
	if (!gmem_file_exists(path))
		gmem_skip_if(GMEM_SKIP_no_dimm);
	/* The last entry is restored first, so the blocks go offline before the DIMM is plugged. */
	snprintf(device_add, sizeof(device_add), DEVICE_ADD, node);
	gmem_restore_call(restore_dimm, "device_add", device_add);
	ost = gmem_kprobe_create("ost", 'p', "acpi_evaluate_ost source=$arg2:u32 status=$arg3:u32",
				 IS_FINAL);
	return gmem_block_find_offline_node(blocks);
}

void gmem_dimm_eject(long block)
{
	char path[96];

	eject_path(block, path, sizeof(path));
	gmem_kprobe_arm(ost);
	gmem_file_write(path, "1");
}

/*
 * This waits for the kernel and not for QEMU, because QEMU removes the DIMM before the kernel
 * is done.  If QEMU plugged the DIMM then, the kernel would not notice that it was away.
 */
enum gmem_dimm_state gmem_dimm_wait(u64 attempts)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_TIMEOUT_S);
	u64 limit = gmem_block_failures() + attempts;
	u64 status;

	do {
		if (!is_answered(OSPM_EJECT, &status))
			continue;
		if (status)
			return GMEM_DIMM_REFUSED;
		if (gmem_qmp_has_memory(ID))
			gmem_broken("the kernel ejected a DIMM that QEMU still has");
		return GMEM_DIMM_GONE;
	} while (gmem_block_failures() < limit && gmem_deadline_poll(&deadline));
	return GMEM_DIMM_BUSY;
}

void gmem_dimm_plug(long blocks[2])
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_TIMEOUT_S);
	char reply[512];
	u64 status;

	gmem_kprobe_arm(ost);
	gmem_qmp("device_add", device_add, reply, sizeof(reply));
	while (!is_answered(DEVICE_CHECK, &status))
		if (!gmem_deadline_poll(&deadline))
			gmem_broken("the kernel did not answer when a DIMM was plugged");
	if (status)
		gmem_broken("the kernel did not accept a DIMM that was plugged: _OST status %#lx",
			    status);
	gmem_block_find_offline_node(blocks);
}
