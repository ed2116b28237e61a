// SPDX-License-Identifier: GPL-2.0-only
/* A zram device of the case's own. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/types.h>
#include <sys/swap.h>

#include "case/gmem_file.h"
#include "case/gmem_restore.h"
#include "case/gmem_result.h"
#include "mm/gmem_zram.h"

#define ZRAM_CONTROL	"/sys/class/zram-control"

enum gmem_skip_reason gmem_zram_missing(void)
{
	if (!gmem_file_exists(ZRAM_CONTROL "/hot_add") || !gmem_file_exists("/proc/swaps"))
		return GMEM_SKIP_no_zram;
	return GMEM_SKIP_none;
}

const char *gmem_zram_create(size_t size)
{
	static char device[32];
	char path[64], text[32];
	/* Reading this file adds a device, and returns its number. */
	long id = gmem_file_read_long(ZRAM_CONTROL "/hot_add");

	snprintf(text, sizeof(text), "%ld", id);
	gmem_restore_write(ZRAM_CONTROL "/hot_remove", text);
	snprintf(path, sizeof(path), "/sys/block/zram%ld/disksize", id);
	snprintf(text, sizeof(text), "%zu", size);
	gmem_file_write(path, text);
	snprintf(device, sizeof(device), "/dev/zram%ld", id);
	return device;
}

/* Writes what mkswap(8) writes to the first page: union swap_header of <linux/swap.h>. */
static void write_swap_header(const char *device, size_t size)
{
	size_t page_size = getpagesize();
	char page[page_size];
	u32 *info = (u32 *)(page + 1024);
	int fd;

	memset(page, 0, page_size);
	info[0] = 1;				/* version */
	info[1] = size / page_size - 1;		/* last page */
	memcpy(page + page_size - 10, "SWAPSPACE2", 10);
	fd = open(device, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || pwrite(fd, page, page_size, 0) != (ssize_t)page_size || fsync(fd))
		gmem_broken("writing a swap header to %s: %m", device);
	close(fd);
}

/* Ends swapping when the case ends; EINVAL means that it never began. */
static void restore_swap(const char *device, const char *text)
{
	if (swapoff(device) && errno != EINVAL)
		fprintf(stderr, "# putting back: swapoff %s: %s\n", device, strerror(errno));
}

void gmem_zram_swapon(size_t size)
{
	const char *device = gmem_zram_create(size);

	write_swap_header(device, size);
	gmem_restore_call(restore_swap, device, "");
	if (swapon(device, 0))
		gmem_broken("swapon %s: %m", device);
}
