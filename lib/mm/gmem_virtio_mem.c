// SPDX-License-Identifier: GPL-2.0-only
/* A virtio-mem device, whose size QEMU requests and the kernel's driver follows. */
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

/*
 * How often to request a size, and for how many seconds to wait each time.  The driver tries
 * again by itself only after a minute.
 */
#define TRIES 5
#define TRY_TIMEOUT_S 1

void __gmem_virtio_mem_request_other(void)
{
	u64 unit;

	if (!__gmem_qmp_get(DEVICE, "block-size", &unit))
		__gmem_qmp_set(DEVICE, "requested-size", unit);
}

/*
 * Returns true if none of the @count blocks from @first on exists.  The kernel removes blocks
 * some time after the last of their memory is unplugged.
 */
static bool are_gone(long first, u64 count)
{
	for (long id = first; id < first + count; id++)
		if (gmem_block_exists(id))
			return false;
	return true;
}

/*
 * Requests a size of 0, and waits for a while until at most @want bytes are plugged, and, if
 * none are, until the @blocks blocks from @first on are gone.  Returns false if that does not
 * happen; *@left is the size that QEMU told last.
 */
static bool shrinks_to(u64 want, u64 *left, long first, u64 blocks)
{
	struct gmem_deadline deadline = gmem_deadline_in(TRY_TIMEOUT_S);

	if (__gmem_qmp_set(DEVICE, "requested-size", 0))
		return false;
	do {
		if (!__gmem_qmp_get(DEVICE, "size", left) && *left <= want &&
		    (*left || are_gone(first, blocks)))
			return true;
	} while (gmem_deadline_poll(&deadline));
	return false;
}

/*
 * Does what gmem_virtio_mem_shrink() does, but ignores errors.  Returns -1 if QEMU does not tell
 * the size.
 */
static u64 try_to_shrink(u64 want)
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

static void restore_size(const char *device, const char *text)
{
	if (try_to_shrink(0))
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
		gmem_skip_if(GMEM_SKIP_no_offline_blocks);
	if (gmem_qmp_get(DEVICE, "size"))
		gmem_broken("wanted a virtio-mem device without memory, got %lu bytes",
			    gmem_qmp_get(DEVICE, "size"));
	gmem_restore_call(restore_size, DEVICE, "");
	return node;
}

u64 gmem_virtio_mem_address(void)
{
	return gmem_qmp_get(DEVICE, "memaddr");
}

/* Returns true if the @count blocks from @first on are all @online, or else all offline. */
static bool are_all(bool online, long first, u64 count)
{
	for (long id = first; id < first + count; id++)
		if (online ? !gmem_block_is_online(id) : !gmem_block_is_offline(id))
			return false;
	return true;
}

long gmem_virtio_mem_grow(u64 size, bool online)
{
	struct gmem_deadline deadline = gmem_deadline_in(TRIES * TRY_TIMEOUT_S);
	u64 block_size = gmem_block_pages() * getpagesize();
	long first = (gmem_virtio_mem_address() + block_size - 1) / block_size;

	gmem_qmp_set(DEVICE, "requested-size", size);
	while (gmem_qmp_get(DEVICE, "size") != size || !are_all(online, first, size / block_size))
		if (!gmem_deadline_poll(&deadline))
			gmem_broken("virtio-mem: wanted %lu bytes in %s blocks, got %lu",
				    size, online ? "online" : "offline",
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

u64 gmem_virtio_mem_shrink(u64 want)
{
	try_to_shrink(want);
	return gmem_qmp_get(DEVICE, "size");
}
