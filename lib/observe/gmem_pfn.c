// SPDX-License-Identifier: GPL-2.0-only
/* The pfns of a region's pages. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "kvm_util.h"

#include "case/gmem_deadline.h"
#include "case/gmem_result.h"
#include "case/gmem_watchdog.h"
#include "mm/gmem_kprobe.h"
#include "mm/gmem_numa.h"
#include "mm/gmem_pagemap.h"
#include "mm/gmem_proof.h"
#include "observe/gmem_pfn.h"
#include "vm/gmem_region.h"

/* Where the folio of frame 0 would be, and how far apart two of them are. */
static struct {
	u64 base, stride;
} line;

struct lookup {
	u64 *folios;
	size_t npages;
};

static void note(const char *text, void *arg)
{
	u64 page = gmem_kprobe_value(text, "index");
	u64 folio = gmem_kprobe_value(text, "folio");
	struct lookup *lookup = arg;

	/* The first lookup finds the folio; an ERR_PTR would create a new one. */
	if (page < lookup->npages && !lookup->folios[page])
		lookup->folios[page] = folio < (u64)-4095 ? folio : 0;
}

static void allocate(int fd, size_t first, size_t count, int mode)
{
	size_t page_size = getpagesize();

	if (fallocate(fd, FALLOC_FL_KEEP_SIZE | mode, first * page_size, count * page_size))
		gmem_broken("fallocate of guest_memfd pages %zu+%zu: %m", first, count);
}

/* The addresses of the folios of the first @npages of the guest_memfd @fd. */
static void look_up(int fd, size_t npages, u64 *folios)
{
	struct lookup lookup = { folios, npages };
	static struct gmem_kprobe *probe;
	char filter[48];

	if (!probe) {
		snprintf(filter, sizeof(filter), "common_pid == %ld", syscall(SYS_gettid));
		probe = gmem_kprobe_create("lookup", 'r',
					  "__filemap_get_folio_mpol index=$arg2:u64 folio=$retval:x64",
					  filter);
	}
	memset(folios, 0, npages * sizeof(*folios));
	gmem_kprobe_arm(probe);
	allocate(fd, 0, npages, 0);
	gmem_kprobe_disarm(probe);
	gmem_kprobe_for_each(probe, note, &lookup);
}

/* Lays the line through the lowest and the highest of the pages. */
static void fit(const u64 *pfns, const u64 *folios)
{
	int low = 0, high = 0;

	for (int page = 1; page < GMEM_PROOF_PAGES; page++) {
		low = pfns[page] < pfns[low] ? page : low;
		high = pfns[page] > pfns[high] ? page : high;
	}
	if (low == high)
		gmem_broken("all pages have frame %#lx", pfns[low]);
	line.stride = (folios[high] - folios[low]) / (pfns[high] - pfns[low]);
	line.base = folios[low] - pfns[low] * line.stride;
	if (!line.stride)
		gmem_broken("all folios are at %#lx", folios[low]);
}

static u64 pfn_of(u64 folio)
{
	u64 offset = folio - line.base;

	if (!folio)
		return 0;
	if (offset % line.stride)
		gmem_broken("folio address %#lx is off the line %#lx + frame * %lu",
			    folio, line.base, line.stride);
	return offset / line.stride;
}

static void check_line(const u64 *pfns, const u64 *folios)
{
	for (int page = 0; page < GMEM_PROOF_PAGES; page++)
		if (pfn_of(folios[page]) != pfns[page])
			gmem_broken("folio address %#lx should be of frame %#lx, not %#lx",
				    folios[page], pfns[page], pfn_of(folios[page]));
}

/* By mbind(), as the task's policy is the test's; lines need points far apart. */
static char *map_on_both_nodes(int fd, size_t page_size)
{
	size_t size = GMEM_PROOF_PAGES * page_size;
	char *host = kvm_mmap(size, PROT_READ | PROT_WRITE, MAP_SHARED, fd);

	if (gmem_numa_missing() == GMEM_SKIP_none) {
		gmem_numa_mbind(host, size / 2, gmem_numa_node(0));
		gmem_numa_mbind(host + size / 2, size / 2, gmem_numa_node(1));
	}
	gmem_proof_touch(host, GMEM_PROOF_PAGES, page_size);
	return host;
}

/* A guest_memfd of whose pages the host has PTEs and the probe sees the folios. */
static void calibrate(void)
{
	u64 before[GMEM_PROOF_PAGES], after[GMEM_PROOF_PAGES], pfns[GMEM_PROOF_PAGES], folios[GMEM_PROOF_PAGES];
	struct kvm_vm *vm = vm_create_barebones();
	size_t page_size = getpagesize();
	int fd, pipefd[2];
	char *host;

	fd = __vm_create_guest_memfd(vm, GMEM_PROOF_PAGES * page_size,
				     GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED);
	if (fd < 0)
		gmem_broken("creating a guest_memfd that the host maps: %m");
	host = map_on_both_nodes(fd, page_size);
	gmem_proof_hold(host, page_size, pipefd);
	gmem_pagemap_read(host, GMEM_PROOF_PAGES, page_size, pfns);
	look_up(fd, GMEM_PROOF_PAGES, folios);
	fit(pfns, folios);
	check_line(pfns, folios);
	memcpy(before, pfns, sizeof(before));

	allocate(fd, 0, 1, FALLOC_FL_PUNCH_HOLE);
	gmem_proof_touch(host, 1, page_size);
	gmem_pagemap_read(host, GMEM_PROOF_PAGES, page_size, pfns);
	look_up(fd, GMEM_PROOF_PAGES, folios);
	check_line(pfns, folios);
	for (int page = 0; page < GMEM_PROOF_PAGES; page++)
		after[page] = pfn_of(folios[page]);
	gmem_proof_check("lookup", before, after);

	gmem_proof_release(pipefd);
	kvm_munmap(host, GMEM_PROOF_PAGES * page_size);
	close(fd);
	kvm_vm_free(vm);
}

/* The first page whose frame is not known; @npages if there is none. */
static size_t first_unseen(const u64 *pfns, size_t npages)
{
	size_t page = 0;

	while (page < npages && pfns[page])
		page++;
	return page;
}

static void check_seen(const u64 *pfns, size_t npages)
{
	size_t page = first_unseen(pfns, npages);

	if (page < npages)
		gmem_broken("the frame of page %zu cannot be seen", page);
}

void gmem_pfn_lookup(struct gmem_region *region, u64 *pfns)
{
	if (!line.stride)
		calibrate();
	look_up(region->fd, region->npages, pfns);
	for (size_t page = 0; page < region->npages; page++)
		pfns[page] = pfn_of(pfns[page]);
	check_seen(pfns, region->npages);
}

void gmem_pfn_read(struct gmem_region *region, u64 *pfns)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_SLOW_TIMEOUT_S);

	if (!region->host_maps) {
		gmem_pfn_lookup(region, pfns);
		return;
	}
	/*
	 * The host's own faults bring the PTEs in; reading does not dirty.  Somebody may
	 * still be moving pages, such as kcompactd: a fault waits for that.
	 */
	do {
		gmem_watchdog_arm(GMEM_HOST_MAPPING, "the host reads guest_memfd");
		for (size_t page = 0; page < region->npages; page++)
			(void)READ_ONCE(*(char *)gmem_region_host(region, page));
		gmem_watchdog_disarm();
		gmem_pagemap_read(region->host, region->npages, region->page_size, pfns);
	} while (first_unseen(pfns, region->npages) < region->npages &&
		 gmem_deadline_poll(&deadline));
	check_seen(pfns, region->npages);
}
