/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The self-test of an observer of pfns: a page that is freed and allocated again must get
 * another pfn, and pages that stay must keep theirs.
 *
 *	gmem_proof_touch(mem, GMEM_PROOF_PAGES, page_size);
 *	gmem_proof_hold(mem, page_size, pipefd);
 *	... observe, free and touch the first page, observe again ...
 *	gmem_proof_check("pagemap", before, after);
 *	gmem_proof_release(pipefd);
 */
#ifndef GMEM_PROOF_H
#define GMEM_PROOF_H

#include <stddef.h>
#include <linux/types.h>

/* The number of pages that the self-test uses, which is what a pipe can hold by default. */
#define GMEM_PROOF_PAGES 16

/* Writes to each of the @count pages of @page_size bytes from @addr on. */
void gmem_proof_touch(char *addr, size_t count, size_t page_size);

/*
 * Makes a pipe refer to the GMEM_PROOF_PAGES pages from @addr on (vmsplice(2)).  While it
 * does, the kernel can neither migrate these pages nor give their pfns to anybody else.
 */
void gmem_proof_hold(void *addr, size_t page_size, int pipefd[2]);

/* Closes the pipe, which ends the references. */
void gmem_proof_release(int pipefd[2]);

/*
 * Checks what @observer saw.  The case is BROKEN unless the first pfn differs between
 * @before and @after, and all others are the same and not 0.
 */
void gmem_proof_check(const char *observer, const u64 *before, const u64 *after);

#endif /* GMEM_PROOF_H */
