// SPDX-License-Identifier: GPL-2.0-only
/* The frame oracle: which page frame backs a page. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "kvm_util.h"

#include "gmem_case.h"
#include "gmem_deadline.h"
#include "gmem_frame.h"
#include "gmem_numa.h"
#include "gmem_probe.h"
#include "gmem_region.h"
#include "gmem_supervisor.h"

/* Documentation/admin-guide/mm/pagemap.rst */
#define PM_PFN_MASK	(BIT_ULL(55) - 1)
#define PM_PRESENT	BIT_ULL(63)

/* Pages that an oracle proves itself with; a pipe holds that many by default. */
#define PROOF	16

/* Seconds for pages to stop moving. */
#define PATIENCE 30

/* Where the folio of frame 0 would be, and how far apart two of them are. */
static struct {
	__u64 base, stride;
} line;

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

static void read_mapped(void *addr, size_t count, size_t page_size, __u64 *frames)
{
	read_pagemap(addr, count, page_size, frames);
	for (size_t i = 0; i < count; i++)
		frames[i] = frames[i] & PM_PRESENT ? frames[i] & PM_PFN_MASK : 0;
}

static void touch(char *addr, size_t count, size_t page_size)
{
	for (size_t page = 0; page < count; page++)
		WRITE_ONCE(addr[page * page_size], 1);
}

/*
 * Has a pipe refer to the frames of PROOF pages.  Nobody can be given such a frame,
 * and what holds it cannot migrate to another.
 */
static void hold(void *addr, size_t page_size, int pipefd[2])
{
	struct iovec pages = { .iov_base = addr, .iov_len = PROOF * page_size };

	if (pipe(pipefd))
		gmem_broken("pipe: %m");
	if (vmsplice(pipefd[1], &pages, 1, SPLICE_F_NONBLOCK) != (ssize_t)pages.iov_len)
		gmem_broken("vmsplice of %d pages: %m", PROOF);
}

static void let_go(int pipefd[2])
{
	close(pipefd[0]);
	close(pipefd[1]);
}

/* Of pages that stayed, except the first. */
static void check_proof(const char *way, const __u64 *before, const __u64 *after)
{
	if (before[0] == after[0])
		gmem_broken("%s: a page with a new frame still has frame %#llx", way, after[0]);
	for (int page = 1; page < PROOF; page++)
		if (before[page] != after[page] || !before[page])
			gmem_broken("%s: a page that stayed has frame %#llx, and then %#llx",
				    way, before[page], after[page]);
}

static void prove_pagemap(void)
{
	size_t page_size = getpagesize();
	__u64 before[PROOF], after[PROOF];
	int pipefd[2];
	char *mem;

	mem = mmap(NULL, PROOF * page_size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED)
		gmem_broken("out of memory");
	madvise(mem, PROOF * page_size, MADV_NOHUGEPAGE);
	touch(mem, PROOF, page_size);
	hold(mem, page_size, pipefd);
	read_mapped(mem, PROOF, page_size, before);
	if (madvise(mem, page_size, MADV_DONTNEED))
		gmem_broken("MADV_DONTNEED: %m");
	touch(mem, 1, page_size);
	read_mapped(mem, PROOF, page_size, after);
	check_proof("pagemap", before, after);
	let_go(pipefd);
	munmap(mem, PROOF * page_size);
}

void gmem_frame_read_mapped(void *addr, size_t count, size_t page_size, __u64 *frames)
{
	static bool proven;

	if (!proven)
		prove_pagemap();
	proven = true;
	read_mapped(addr, count, page_size, frames);
}

enum gmem_skip gmem_frame_missing(void)
{
	char here = 1;
	__u64 entry;

	/* Without CAP_SYS_ADMIN the kernel shows every frame as 0. */
	read_pagemap((void *)((unsigned long)&here & -getpagesize()), 1, getpagesize(), &entry);
	return entry & PM_PFN_MASK ? GMEM_SKIP_none : GMEM_SKIP_no_pagemap;
}

struct lookup {
	__u64 *folios;
	size_t npages;
};

static void note(const char *text, void *arg)
{
	__u64 page = gmem_probe_value(text, "index");
	__u64 folio = gmem_probe_value(text, "folio");
	struct lookup *lookup = arg;

	/* The first lookup finds the folio; an ERR_PTR would create a new one. */
	if (page < lookup->npages && !lookup->folios[page])
		lookup->folios[page] = folio < (__u64)-4095 ? folio : 0;
}

static void allocate(int fd, size_t first, size_t count, int mode)
{
	size_t page_size = getpagesize();

	if (fallocate(fd, FALLOC_FL_KEEP_SIZE | mode, first * page_size, count * page_size))
		gmem_broken("fallocate of guest_memfd pages %zu+%zu: %m", first, count);
}

/* The addresses of the folios of the first @npages of the guest_memfd @fd. */
static void look_up(int fd, size_t npages, __u64 *folios)
{
	struct lookup lookup = { folios, npages };
	static struct gmem_probe *probe;
	char filter[48];

	if (!probe) {
		snprintf(filter, sizeof(filter), "common_pid == %ld", syscall(SYS_gettid));
		probe = gmem_probe_create("lookup", 'r',
					  "__filemap_get_folio_mpol index=$arg2:u64 folio=$retval:x64",
					  filter);
	}
	memset(folios, 0, npages * sizeof(*folios));
	gmem_probe_arm(probe);
	allocate(fd, 0, npages, 0);
	gmem_probe_disarm(probe);
	gmem_probe_for_each(probe, note, &lookup);
}

/* Lays the line through the lowest and the highest of the pages. */
static void fit(const __u64 *frames, const __u64 *folios)
{
	int low = 0, high = 0;

	for (int page = 1; page < PROOF; page++) {
		low = frames[page] < frames[low] ? page : low;
		high = frames[page] > frames[high] ? page : high;
	}
	if (low == high)
		gmem_broken("all pages have frame %#llx", frames[low]);
	line.stride = (folios[high] - folios[low]) / (frames[high] - frames[low]);
	line.base = folios[low] - frames[low] * line.stride;
	if (!line.stride)
		gmem_broken("all folios are at %#llx", folios[low]);
}

static __u64 frame_of(__u64 folio)
{
	__u64 offset = folio - line.base;

	if (!folio)
		return 0;
	if (offset % line.stride)
		gmem_broken("folio address %#llx is off the line %#llx + frame * %llu",
			    folio, line.base, line.stride);
	return offset / line.stride;
}

static void check_line(const __u64 *frames, const __u64 *folios)
{
	for (int page = 0; page < PROOF; page++)
		if (frame_of(folios[page]) != frames[page])
			gmem_broken("folio address %#llx should be of frame %#llx, not %#llx",
				    folios[page], frames[page], frame_of(folios[page]));
}

/* By mbind(), as the task's policy is the test's; lines need points far apart. */
static char *map_on_both_nodes(int fd, size_t page_size)
{
	size_t size = PROOF * page_size;
	char *host = kvm_mmap(size, PROT_READ | PROT_WRITE, MAP_SHARED, fd);

	if (gmem_numa_missing() == GMEM_SKIP_none) {
		gmem_numa_mbind(host, size / 2, gmem_numa_node(0));
		gmem_numa_mbind(host + size / 2, size / 2, gmem_numa_node(1));
	}
	touch(host, PROOF, page_size);
	return host;
}

/* A guest_memfd of whose pages the host has PTEs and the probe sees the folios. */
static void calibrate(void)
{
	__u64 before[PROOF], after[PROOF], frames[PROOF], folios[PROOF];
	struct kvm_vm *vm = vm_create_barebones();
	size_t page_size = getpagesize();
	int fd, pipefd[2];
	char *host;

	fd = __vm_create_guest_memfd(vm, PROOF * page_size,
				     GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED);
	if (fd < 0)
		gmem_broken("creating a guest_memfd that the host maps: %m");
	host = map_on_both_nodes(fd, page_size);
	hold(host, page_size, pipefd);
	read_mapped(host, PROOF, page_size, frames);
	look_up(fd, PROOF, folios);
	fit(frames, folios);
	check_line(frames, folios);
	memcpy(before, frames, sizeof(before));

	allocate(fd, 0, 1, FALLOC_FL_PUNCH_HOLE);
	touch(host, 1, page_size);
	read_mapped(host, PROOF, page_size, frames);
	look_up(fd, PROOF, folios);
	check_line(frames, folios);
	for (int page = 0; page < PROOF; page++)
		after[page] = frame_of(folios[page]);
	check_proof("lookup", before, after);

	let_go(pipefd);
	kvm_munmap(host, PROOF * page_size);
	close(fd);
	kvm_vm_free(vm);
}

/* The first page whose frame is not known; @npages if there is none. */
static size_t first_unseen(const __u64 *frames, size_t npages)
{
	size_t page = 0;

	while (page < npages && frames[page])
		page++;
	return page;
}

static void check_seen(const __u64 *frames, size_t npages)
{
	size_t page = first_unseen(frames, npages);

	if (page < npages)
		gmem_broken("the frame of page %zu cannot be seen", page);
}

void gmem_frame_lookup(struct gmem_region *region, __u64 *frames)
{
	if (!line.stride)
		calibrate();
	look_up(region->fd, region->npages, frames);
	for (size_t page = 0; page < region->npages; page++)
		frames[page] = frame_of(frames[page]);
	check_seen(frames, region->npages);
}

void gmem_frame_read(struct gmem_region *region, __u64 *frames)
{
	struct gmem_deadline deadline = gmem_deadline_in(PATIENCE);

	if (!region->host_maps) {
		gmem_frame_lookup(region, frames);
		return;
	}
	/*
	 * The host's own faults bring the PTEs in; reading does not dirty.  Somebody may
	 * still be moving pages, such as kcompactd: a fault waits for that.
	 */
	do {
		gmem_busy(GMEM_C3, "the host reads guest_memfd");
		for (size_t page = 0; page < region->npages; page++)
			(void)READ_ONCE(*(char *)gmem_region_host(region, page));
		gmem_idle();
		gmem_frame_read_mapped(region->host, region->npages, region->page_size, frames);
	} while (first_unseen(frames, region->npages) < region->npages &&
		 gmem_deadline_poll(&deadline));
	check_seen(frames, region->npages);
}

bool gmem_frame_among(__u64 frame, const __u64 *frames, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (frames[i] == frame)
			return true;
	return false;
}
