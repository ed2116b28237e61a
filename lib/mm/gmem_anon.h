/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The positive control: ordinary anonymous memory beside the memory under test.
 * If the trigger does not move it either, the trigger proves nothing.
 */
#ifndef GMEM_ANON_H
#define GMEM_ANON_H

#include <stddef.h>
#include <linux/types.h>

struct gmem_anon {
	char *mem;
	size_t npages;
	size_t page_size;
	u64 *pfns;		/* as of the last look */
};

/* Maps @npages of the host's pages, none of them touched yet.  No huge pages. */
struct gmem_anon *gmem_anon_create(size_t npages);

/* Bytes. */
static inline size_t gmem_anon_size(const struct gmem_anon *control)
{
	return control->npages * control->page_size;
}

/* NULL is fine. */
void gmem_anon_free(struct gmem_anon *control);

/* Allocates the control's pages [@first, @first + @count) by writing to them. */
void gmem_anon_touch(struct gmem_anon *control, size_t first, size_t count);

/* Allocates all of the control, none of it touched yet, and sends it to @node: unlike
 * with a policy nothing that the kernel allocates for itself comes from there.
 */
void gmem_anon_touch_on(struct gmem_anon *control, int node);

/* Frees the control's pages [@first, @first + @count); they can be touched anew. */
void gmem_anon_discard(struct gmem_anon *control, size_t first, size_t count);

/* Counts the pages that are mapped now: neither swapped out nor discarded. */
size_t gmem_anon_present(const struct gmem_anon *control);

/* Counts the pages whose frame changed since the last look, and looks. */
size_t gmem_anon_moved(struct gmem_anon *control);

/* The same, but what they are compared with stays the last look. */
size_t gmem_anon_away(struct gmem_anon *control);

/*
 * Looks at a control all of which was touched until every page has a frame.  One that
 * somebody moves, such as kcompactd, has none; reading it waits for that.
 */
void gmem_anon_snapshot(struct gmem_anon *control);

#endif /* GMEM_ANON_H */
