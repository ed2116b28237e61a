// SPDX-License-Identifier: GPL-2.0-only
/* A virtio-mem device, which QEMU resizes and the kernel's driver follows. */
#include <stdio.h>
#include <unistd.h>

#include "case/gmem_deadline.h"
#include "case/gmem_file.h"
#include "case/gmem_restore.h"
#include "case/gmem_result.h"
#include "mm/gmem_block.h"
#include "mm/gmem_qmp.h"
#include "mm/gmem_virtio_mem.h"

#define DEVICE	"virtio-mem"

/* How often to ask for a size again, and for how many seconds to wait for it then: the
 * driver asks itself again after a minute.
 */
#define TRIES 5
#define TIMEOUT_S 1

static void shrink_to_nothing(const char *device, const char *text)
{
	if (__gmem_virtio_mem_shrink(0))
		fprintf(stderr, "# putting back: the device %s keeps its size\n", device);
}

int gmem_virtio_mem_find(long others[2])
{
	int node;

	gmem_skip_if(gmem_qmp_missing());
	if (!gmem_qmp_has_memory(DEVICE) ||
	    !gmem_file_exists("/sys/bus/virtio/drivers/virtio_mem"))
		gmem_skip_if(GMEM_SKIP_no_virtio_mem);
	node = gmem_block_find_offline_node(others);
	if (gmem_qmp_get(DEVICE, "node") != node)
		gmem_skip_if(GMEM_SKIP_no_spare_blocks);
	if (gmem_qmp_get(DEVICE, "size"))
		gmem_broken("the device has %lu bytes plugged", gmem_qmp_get(DEVICE, "size"));
	gmem_restore_call(shrink_to_nothing, DEVICE, "");
	return node;
}

u64 gmem_virtio_mem_address(void)
{
	return gmem_qmp_get(DEVICE, "memaddr");
}

static bool all_are(bool online, long first, u64 count)
{
	for (long id = first; id < first + count; id++)
		if (online ? !gmem_block_is_online(id) : !gmem_block_is_offline(id))
			return false;
	return true;
}

long gmem_virtio_mem_grow(u64 size, bool online)
{
	struct gmem_deadline deadline = gmem_deadline_in(TRIES * TIMEOUT_S);
	u64 block_size = gmem_block_pages() * getpagesize();
	long first = (gmem_virtio_mem_address() + block_size - 1) / block_size;

	gmem_qmp_set(DEVICE, "requested-size", size);
	while (gmem_qmp_get(DEVICE, "size") != size || !all_are(online, first, size / block_size))
		if (!gmem_deadline_poll(&deadline))
			gmem_broken("wanted the device to get %lu bytes, got %lu", size,
				    gmem_qmp_get(DEVICE, "size"));
	return first;
}

static u64 pageblock_size(void)
{
	FILE *file = fopen("/proc/pagetypeinfo", "re");
	u64 pages;

	if (!file)
		gmem_broken("/proc/pagetypeinfo: %m");
	if (fscanf(file, "Page block order: %*u Pages per block: %lu", &pages) != 1)
		gmem_broken("/proc/pagetypeinfo does not begin with the pages per block");
	fclose(file);
	return pages * getpagesize();
}

u64 gmem_virtio_mem_unit(void)
{
	u64 device = gmem_qmp_get(DEVICE, "block-size"), driver = pageblock_size();

	return device > driver ? device : driver;
}

void __gmem_virtio_mem_request_other(void)
{
	u64 unit;

	if (!__gmem_qmp_get(DEVICE, "block-size", &unit))
		__gmem_qmp_set(DEVICE, "requested-size", unit);
}

/* Blocks go some time after the last of their memory has. */
static bool gone(long first, u64 count)
{
	for (long id = first; id < first + count; id++)
		if (gmem_block_exists(id))
			return false;
	return true;
}

/* Waits for that for a while, and for all @blocks from @first on to be gone if nothing is
 * left.
 */
static bool shrinks_to(u64 want, u64 *left, long first, u64 blocks)
{
	struct gmem_deadline deadline = gmem_deadline_in(TIMEOUT_S);

	if (__gmem_qmp_set(DEVICE, "requested-size", 0))
		return false;
	do {
		if (!__gmem_qmp_get(DEVICE, "size", left) && *left <= want &&
		    (*left || gone(first, blocks)))
			return true;
	} while (gmem_deadline_poll(&deadline));
	return false;
}

u64 __gmem_virtio_mem_shrink(u64 want)
{
	u64 size = gmem_block_pages() * getpagesize();
	u64 left = -1ULL, had = 0, start = 0;
	long first;

	__gmem_qmp_get(DEVICE, "size", &had);
	__gmem_qmp_get(DEVICE, "memaddr", &start);
	first = (start + size - 1) / size;
	for (int try = 0; !shrinks_to(want, &left, first, had / size) && try < TRIES; try++)
		__gmem_virtio_mem_request_other();
	return left;
}

u64 gmem_virtio_mem_shrink(u64 want)
{
	__gmem_virtio_mem_shrink(want);
	return gmem_qmp_get(DEVICE, "size");
}
