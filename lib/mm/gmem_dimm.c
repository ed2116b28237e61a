// SPDX-License-Identifier: GPL-2.0-only
/* A DIMM that the kernel can eject and QEMU plug again. */
#include <errno.h>
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

/* Of device_add; its node is the one that it had. */
#define PLUG	"{\"driver\": \"pc-dimm\", \"id\": \"dimm\", \"memdev\": \"dimm\", \"node\": %d}"

/* Sources of an _OST of the ACPI specification: what the kernel was asked for. */
#define DEVICE_CHECK	1
#define OSPM_EJECT	0x103
/* What is no last word: it was asked, and is at it. */
#define LAST_WORD "status != 0x84"

static char plug[128];

/* What the kernel tells the firmware, and so QEMU. */
static struct gmem_kprobe *ost;

struct answer {
	u64 source;		/* what it was asked for */
	bool given;
	u64 status;
};

static void eject_path(long block, char *path, size_t size)
{
	snprintf(path, size, "/sys/devices/system/memory/memory%ld/firmware_node/eject", block);
}

static void take_answer(const char *line, void *arg)
{
	struct answer *answer = arg;

	if (gmem_kprobe_value(line, "source") != answer->source)
		return;
	answer->given = true;
	answer->status = gmem_kprobe_value(line, "status");
}

/* True once the kernel is done with what @source stands for, with @status. */
static bool is_answered(u64 source, u64 *status)
{
	struct answer answer = { .source = source };

	gmem_kprobe_for_each(ost, take_answer, &answer);
	*status = answer.status;
	return answer.given;
}

/* An error in reply means that it is there. */
static void plug_again(const char *command, const char *arguments)
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
		gmem_skip_if(GMEM_SKIP_no_spare_blocks);
	eject_path(blocks[0], path, sizeof(path));
	if (!gmem_file_exists(path))
		gmem_skip_if(GMEM_SKIP_no_dimm);
	/* Before the blocks: what was said last is put back first. */
	snprintf(plug, sizeof(plug), PLUG, node);
	gmem_restore_call(plug_again, "device_add", plug);
	ost = gmem_kprobe_create("ost", 'p', "acpi_evaluate_ost source=$arg2:u32 status=$arg3:u32",
				LAST_WORD);
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
 * QEMU is without the DIMM before the kernel is done with it, which takes a DIMM that is
 * plugged meanwhile for one that never went.
 */
enum gmem_dimm_state gmem_dimm_wait(u64 attempts)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_TIMEOUT_S);
	u64 until = gmem_block_failures() + attempts;
	u64 status;

	do {
		if (!is_answered(OSPM_EJECT, &status))
			continue;
		if (status)
			return GMEM_DIMM_REFUSED;
		if (gmem_qmp_has_memory(ID))
			gmem_broken("the kernel ejected a DIMM that QEMU still has");
		return GMEM_DIMM_GONE;
	} while (gmem_block_failures() < until && gmem_deadline_poll(&deadline));
	return GMEM_DIMM_BUSY;
}

void gmem_dimm_plug(long blocks[2])
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_TIMEOUT_S);
	char reply[512];
	u64 status;

	gmem_kprobe_arm(ost);
	gmem_qmp("device_add", plug, reply, sizeof(reply));
	while (!is_answered(DEVICE_CHECK, &status))
		if (!gmem_deadline_poll(&deadline))
			gmem_broken("the kernel does not find a DIMM that was plugged");
	if (status)
		gmem_broken("the kernel does not take a DIMM that was plugged: _OST %#lx", status);
	gmem_block_find_offline_node(blocks);
}
