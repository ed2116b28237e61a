/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How an observer of pfns proves itself: a page that is freed and allocated again has to get
 * another pfn, and pages that stay have to keep theirs.
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

/* A pipe holds that many pages by default. */
#define GMEM_PROOF_PAGES 16

/* Writes to each of the @count pages of @page_size bytes from @addr on. */
void gmem_proof_touch(char *addr, size_t count, size_t page_size);

/*
 * Has a pipe refer to GMEM_PROOF_PAGES pages from @addr on (vmsplice(2)).  Nobody else can
 * be given the pfn of such a page, and the page cannot migrate.
 */
void gmem_proof_hold(void *addr, size_t page_size, int pipefd[2]);
void gmem_proof_release(int pipefd[2]);

/*
 * The case is BROKEN, in the name of @observer, unless the first pfn differs between
 * @before and @after, and all others are known and the same.
 */
void gmem_proof_check(const char *observer, const u64 *before, const u64 *after);

#endif /* GMEM_PROOF_H */
