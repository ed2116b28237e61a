/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Anonymous memory as the positive control beside the memory under test.  If a trigger does
 * not move the control either, the trigger proves nothing.
 *
 *	control = gmem_anon_create(npages);
 *	gmem_anon_touch(control, 0, npages);
 *	gmem_anon_snapshot(control);
 *	... trigger ...
 *	moved = gmem_anon_moved(control);
 *	gmem_anon_free(control);
 *
 * Pfns are read from /proc/self/pagemap (gmem_pagemap.h).
 */
#ifndef GMEM_ANON_H
#define GMEM_ANON_H

#include <stddef.h>
#include <linux/types.h>

struct gmem_anon {
	char *mem;
	size_t npages;
	size_t page_size;
	u64 *pfns;		/* as gmem_anon_snapshot() or gmem_anon_moved() read them last */
};

/*
 * Maps @npages pages of the host's page size, which are not allocated yet and never become
 * huge pages.
 */
struct gmem_anon *gmem_anon_create(size_t npages);

/* Returns the size of @control in bytes. */
static inline size_t gmem_anon_size(const struct gmem_anon *control)
{
	return control->npages * control->page_size;
}

/* Unmaps and frees @control, which may be NULL. */
void gmem_anon_free(struct gmem_anon *control);

/* Allocates the control's pages [@first, @first + @count) by writing to them. */
void gmem_anon_touch(struct gmem_anon *control, size_t first, size_t count);

/*
 * Allocates all pages of the control, none of which may be allocated yet, and moves them to
 * @node with move_pages(2).  A NUMA policy of the thread would also apply to what the kernel
 * allocates for itself, such as page tables; this does not allocate those on @node.
 */
void gmem_anon_touch_on(struct gmem_anon *control, int node);

/* Frees the control's pages [@first, @first + @count); they can be touched again. */
void gmem_anon_discard(struct gmem_anon *control, size_t first, size_t count);

/* Returns how many pages are mapped now, that is neither swapped out nor discarded. */
size_t gmem_anon_present(const struct gmem_anon *control);

/* Returns how many pages have another pfn than in @control->pfns, and updates @control->pfns. */
size_t gmem_anon_moved(struct gmem_anon *control);

/* Returns how many pages have another pfn than in @control->pfns, which stays as it is. */
size_t gmem_anon_away(struct gmem_anon *control);

/*
 * Reads the pfns of all pages into @control->pfns.  All of them must have been touched.  A
 * page that is being migrated, by kcompactd for example, has no pfn; this reads the page,
 * which waits for the migration, and tries again.  BROKEN if a page never gets a pfn.
 */
void gmem_anon_snapshot(struct gmem_anon *control);

#endif /* GMEM_ANON_H */
