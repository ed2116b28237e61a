// SPDX-License-Identifier: GPL-2.0-only
/* The self-test of an observer of pfns. */
#include <fcntl.h>
#include <unistd.h>
#include <linux/compiler.h>
#include <sys/uio.h>

#include "case/gmem_result.h"
#include "mm/gmem_proof.h"

void gmem_proof_touch(char *addr, size_t count, size_t page_size)
{
	for (size_t page = 0; page < count; page++)
		WRITE_ONCE(addr[page * page_size], 1);
}

void gmem_proof_hold(void *addr, size_t page_size, int pipefd[2])
{
	struct iovec pages = { .iov_base = addr, .iov_len = GMEM_PROOF_PAGES * page_size };

	if (pipe(pipefd))
		gmem_broken("pipe: %m");
	if (vmsplice(pipefd[1], &pages, 1, SPLICE_F_NONBLOCK) != (ssize_t)pages.iov_len)
		gmem_broken("vmsplice of %d pages: %m", GMEM_PROOF_PAGES);
}

void gmem_proof_release(int pipefd[2])
{
	close(pipefd[0]);
	close(pipefd[1]);
}

void gmem_proof_check(const char *observer, const u64 *before, const u64 *after)
{
	if (before[0] == after[0])
		gmem_broken("%s: a page that was allocated again still has pfn %#lx", observer,
			    after[0]);
	for (int page = 1; page < GMEM_PROOF_PAGES; page++)
		if (before[page] != after[page] || !before[page])
			gmem_broken("%s: a page that stayed has pfn %#lx, and then %#lx",
				    observer, before[page], after[page]);
}
