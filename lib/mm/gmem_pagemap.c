// SPDX-License-Identifier: GPL-2.0-only
/* The pfns of the pages that this process maps, from /proc/self/pagemap. */
#include <fcntl.h>
#include <unistd.h>
#include <linux/bits.h>
#include <sys/mman.h>

#include "case/gmem_result.h"
#include "mm/gmem_pagemap.h"
#include "mm/gmem_proof.h"

/* The bits of an entry, as in Documentation/admin-guide/mm/pagemap.rst. */
#define PM_PFN_MASK	(BIT_ULL(55) - 1)
#define PM_PRESENT	BIT_ULL(63)

static void read_entries(void *addr, size_t count, size_t page_size, u64 *entries)
{
	off_t offset = (unsigned long)addr / page_size * sizeof(*entries);
	size_t len = count * sizeof(*entries);
	int fd;

	fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, entries, len, offset) != (ssize_t)len)
		gmem_broken("/proc/self/pagemap: %m");
	close(fd);
}

static void read_pfns(void *addr, size_t count, size_t page_size, u64 *pfns)
{
	read_entries(addr, count, page_size, pfns);
	for (size_t i = 0; i < count; i++)
		pfns[i] = pfns[i] & PM_PRESENT ? pfns[i] & PM_PFN_MASK : 0;
}

static void prove(void)
{
	size_t page_size = getpagesize(), size = GMEM_PROOF_PAGES * page_size;
	u64 before[GMEM_PROOF_PAGES], after[GMEM_PROOF_PAGES];
	int pipefd[2];
	char *mem;

	mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED)
		gmem_broken("out of memory");
	madvise(mem, size, MADV_NOHUGEPAGE);
	gmem_proof_touch(mem, GMEM_PROOF_PAGES, page_size);
	gmem_proof_hold(mem, page_size, pipefd);
	read_pfns(mem, GMEM_PROOF_PAGES, page_size, before);
	if (madvise(mem, page_size, MADV_DONTNEED))
		gmem_broken("MADV_DONTNEED: %m");
	gmem_proof_touch(mem, 1, page_size);
	read_pfns(mem, GMEM_PROOF_PAGES, page_size, after);
	gmem_proof_check("pagemap", before, after);
	gmem_proof_release(pipefd);
	munmap(mem, size);
}

void gmem_pagemap_read(void *addr, size_t count, size_t page_size, u64 *pfns)
{
	static bool proven;

	if (!proven)
		prove();
	proven = true;
	read_pfns(addr, count, page_size, pfns);
}

enum gmem_skip_reason gmem_pagemap_missing(void)
{
	char on_stack = 1;
	u64 entry;

	/* Without CAP_SYS_ADMIN the kernel shows every pfn as 0. */
	read_entries((void *)((unsigned long)&on_stack & -getpagesize()), 1, getpagesize(),
		     &entry);
	return entry & PM_PFN_MASK ? GMEM_SKIP_none : GMEM_SKIP_no_pagemap;
}

bool gmem_pfn_among(u64 pfn, const u64 *pfns, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (pfns[i] == pfn)
			return true;
	return false;
}
