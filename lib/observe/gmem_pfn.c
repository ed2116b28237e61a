// SPDX-License-Identifier: GPL-2.0-only
/* The pfns of a region's pages. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/compiler.h>
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

/* The address of the folio of pfn 0, and the distance between the folios of two pfns. */
static struct {
	u64 base, stride;
} memmap;

struct lookup {
	u64 *folios;
	size_t npages;
};

static void note_folio(const char *line, void *arg)
{
	u64 page = gmem_kprobe_value(line, "index");
	u64 folio = gmem_kprobe_value(line, "folio");
	struct lookup *lookup = arg;

	/*
	 * The first lookup of a page that exists returns its folio.  An ERR_PTR, after which
	 * fallocate() would create a folio, is no address.
	 */
	if (page < lookup->npages && !lookup->folios[page])
		lookup->folios[page] = folio < (u64)-4095 ? folio : 0;
}

static void fallocate_pages(int fd, size_t first, size_t count, int mode)
{
	size_t page_size = getpagesize();

	if (fallocate(fd, FALLOC_FL_KEEP_SIZE | mode, first * page_size, count * page_size))
		gmem_broken("fallocate of guest_memfd pages %zu+%zu: %m", first, count);
}

/* Reads the addresses of the folios of the first @npages pages of the guest_memfd @fd. */
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
	fallocate_pages(fd, 0, npages, 0);
	gmem_kprobe_disarm(probe);
	gmem_kprobe_for_each(probe, note_folio, &lookup);
}

/* Computes base and stride from the lowest and the highest pfn, which are farthest apart. */
static void fit_memmap(const u64 *pfns, const u64 *folios)
{
	int low = 0, high = 0;

	for (int page = 1; page < GMEM_PROOF_PAGES; page++) {
		low = pfns[page] < pfns[low] ? page : low;
		high = pfns[page] > pfns[high] ? page : high;
	}
	if (low == high)
		gmem_broken("all pages have pfn %#lx", pfns[low]);
	memmap.stride = (folios[high] - folios[low]) / (pfns[high] - pfns[low]);
	memmap.base = folios[low] - pfns[low] * memmap.stride;
	if (!memmap.stride)
		gmem_broken("all folios are at %#lx", folios[low]);
}

static u64 pfn_of(u64 folio)
{
	u64 offset = folio - memmap.base;

	if (!folio)
		return 0;
	if (offset % memmap.stride)
		gmem_broken("folio address %#lx: wanted %#lx + pfn * %lu", folio, memmap.base,
			    memmap.stride);
	return offset / memmap.stride;
}

static void check_memmap(const u64 *pfns, const u64 *folios)
{
	for (int page = 0; page < GMEM_PROOF_PAGES; page++)
		if (pfn_of(folios[page]) != pfns[page])
			gmem_broken("folio address %#lx: wanted pfn %#lx, got %#lx", folios[page],
				    pfns[page], pfn_of(folios[page]));
}

/*
 * Half of the pages go to each node, because pfns that are far apart make the equation exact.
 * mbind(2) puts them there, because the memory policy of the thread belongs to the test.
 */
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

/*
 * Computes the equation from a guest_memfd whose pages are seen both by pagemap and by lookup,
 * and has the lookup prove itself.
 */
static void calibrate(void)
{
	u64 before[GMEM_PROOF_PAGES], after[GMEM_PROOF_PAGES];
	u64 pfns[GMEM_PROOF_PAGES], folios[GMEM_PROOF_PAGES];
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
	fit_memmap(pfns, folios);
	check_memmap(pfns, folios);
	memcpy(before, pfns, sizeof(before));

	fallocate_pages(fd, 0, 1, FALLOC_FL_PUNCH_HOLE);
	gmem_proof_touch(host, 1, page_size);
	gmem_pagemap_read(host, GMEM_PROOF_PAGES, page_size, pfns);
	look_up(fd, GMEM_PROOF_PAGES, folios);
	check_memmap(pfns, folios);
	for (int page = 0; page < GMEM_PROOF_PAGES; page++)
		after[page] = pfn_of(folios[page]);
	gmem_proof_check("lookup", before, after);

	gmem_proof_release(pipefd);
	kvm_munmap(host, GMEM_PROOF_PAGES * page_size);
	close(fd);
	kvm_vm_free(vm);
}

/* The first page whose pfn was not seen; @npages if all were. */
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
		gmem_broken("the pfn of page %zu cannot be seen", page);
}

void gmem_pfn_lookup(struct gmem_region *region, u64 *pfns)
{
	if (!memmap.stride)
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
	 * Page faults of the host create the PTEs that pagemap needs; they only read, so that
	 * the pages do not become dirty.  A page that is being moved meanwhile, for example by
	 * kcompactd, has no PTE; the next fault waits until it has been moved.
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
