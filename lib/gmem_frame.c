// SPDX-License-Identifier: GPL-2.0-only
/* The frame oracle: which page frame backs a page. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>

#include "gmem_case.h"
#include "gmem_frame.h"
#include "gmem_probe.h"
#include "gmem_region.h"

/* Documentation/admin-guide/mm/pagemap.rst */
#define PM_PFN_MASK	(BIT_ULL(55) - 1)
#define PM_PRESENT	BIT_ULL(63)

static void read_pagemap(void *addr, size_t count, size_t page_size, __u64 *entries)
{
	off_t at = (unsigned long)addr / page_size * sizeof(*entries);
	size_t len = count * sizeof(*entries);
	int fd;

	fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, entries, len, at) != (ssize_t)len)
		gmem_broken("/proc/self/pagemap: %m");
	close(fd);
}

void gmem_frame_read_mapped(void *addr, size_t count, size_t page_size, __u64 *frames)
{
	read_pagemap(addr, count, page_size, frames);
	for (size_t i = 0; i < count; i++)
		frames[i] = frames[i] & PM_PRESENT ? frames[i] & PM_PFN_MASK : 0;
}

__u64 gmem_frame_flags(__u64 frame)
{
	__u64 flags;
	int fd;

	fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &flags, sizeof(flags), frame * sizeof(flags)) != sizeof(flags))
		gmem_broken("/proc/kpageflags: %m");
	close(fd);
	return flags;
}

enum gmem_skip gmem_frame_missing(void)
{
	char here = 1;
	__u64 entry;

	/* Without CAP_SYS_ADMIN the kernel shows every frame as 0. */
	read_pagemap((void *)((unsigned long)&here & -getpagesize()), 1, getpagesize(), &entry);
	return entry & PM_PFN_MASK ? GMEM_SKIP_none : GMEM_SKIP_no_pagemap;
}

/* The host's own faults bring the PTEs in; reading does not dirty. */
static void read_by_pagemap(struct gmem_region *region, __u64 *frames)
{
	for (size_t page = 0; page < region->npages; page++)
		(void)READ_ONCE(*(char *)gmem_region_host(region, page));
	gmem_frame_read_mapped(region->host, region->npages, region->page_size, frames);
}

struct lookup {
	__u64 *frames;
	size_t npages;
};

static void note(const char *line, void *arg)
{
	__u64 page = gmem_probe_value(line, "index");
	__u64 folio = gmem_probe_value(line, "folio");
	struct lookup *lookup = arg;

	/* The first lookup finds the folio; an ERR_PTR would create a new one. */
	if (page < lookup->npages && !lookup->frames[page])
		lookup->frames[page] = folio < (__u64)-4095 ? folio : 0;
}

static void read_by_probe(struct gmem_region *region, __u64 *frames)
{
	struct lookup lookup = { frames, region->npages };
	static struct gmem_probe *probe;
	char filter[48];

	if (!probe) {
		snprintf(filter, sizeof(filter), "common_pid == %ld", syscall(SYS_gettid));
		probe = gmem_probe_create("lookup", 'r',
					  "__filemap_get_folio_mpol index=$arg2:u64 folio=$retval:x64",
					  filter);
	}
	memset(frames, 0, region->npages * sizeof(*frames));
	gmem_probe_arm(probe);
	gmem_region_allocate(region, 0, region->npages);
	gmem_probe_disarm(probe);
	gmem_probe_for_each(probe, note, &lookup);
}

void gmem_frame_read(struct gmem_region *region, __u64 *frames)
{
	if (region->host_maps)
		read_by_pagemap(region, frames);
	else
		read_by_probe(region, frames);
	for (size_t page = 0; page < region->npages; page++)
		if (!frames[page])
			gmem_broken("the frame of page %zu cannot be seen", page);
}
