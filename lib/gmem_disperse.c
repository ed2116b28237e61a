// SPDX-License-Identifier: GPL-2.0-only
/* Pages dispersed over all that a node has free. */
#include <fcntl.h>
#include <unistd.h>
#include <linux/falloc.h>

#include "kvm_util.h"

#include "gmem_case.h"
#include "gmem_control.h"
#include "gmem_disperse.h"
#include "gmem_numa.h"
#include "gmem_region.h"

/* With ordinary memory if there is no file. */
static void fill(struct gmem_control *filler, int fd, size_t first, size_t count)
{
	size_t page_size = getpagesize();

	if (fd < 0)
		gmem_control_touch(filler, first, count);
	else if (count && fallocate(fd, FALLOC_FL_KEEP_SIZE, first * page_size,
				    count * page_size))
		gmem_broken("fallocate of %zu pages of filler: %m", count);
}

size_t gmem_disperse(int node, struct gmem_region *region, struct gmem_control *control,
		     size_t npages, size_t reserve)
{
	size_t page_size = getpagesize(), free = gmem_numa_free(node), stretch;
	struct gmem_control *filler;
	int fd = -1;

	if (free < reserve + npages * page_size)
		gmem_broken("%zu bytes are free on node %d, too few to fill", free, node);
	stretch = (free - reserve) / page_size / npages;
	filler = gmem_control_create(npages * stretch);
	if (region)
		fd = vm_create_guest_memfd(region->vm, npages * stretch * page_size,
					   region->flags);
	/* Not all that is free can be had: the kernel keeps some of it for itself. */
	gmem_numa_prefer(node);
	for (size_t page = 0; page < npages; page++) {
		if (region)
			gmem_region_allocate(region, page, 1);
		else
			gmem_control_touch(control, page, 1);
		fill(filler, fd, page * stretch, stretch - 1);
	}
	gmem_numa_bind(-1);
	gmem_control_free(filler);
	if (region)
		close(fd);
	return stretch;
}

size_t gmem_disperse_blocks(const __u64 *frames, size_t count, size_t size)
{
	size_t blocks = 0;

	for (size_t page = 0; page < count; page++) {
		size_t same = 0;

		while (frames[same] / size != frames[page] / size)
			same++;
		blocks += same == page;
	}
	return blocks;
}
