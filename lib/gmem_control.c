// SPDX-License-Identifier: GPL-2.0-only
/* The positive control: ordinary anonymous memory. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <linux/compiler.h>

#include "gmem_case.h"
#include "gmem_control.h"
#include "gmem_deadline.h"
#include "gmem_frame.h"
#include "gmem_numa.h"

/* Seconds for pages to stop moving. */
#define PATIENCE 30

struct gmem_control *gmem_control_create(size_t npages)
{
	struct gmem_control *control = calloc(1, sizeof(*control));

	if (!control)
		gmem_broken("out of memory");
	control->npages = npages;
	control->page_size = getpagesize();
	control->frames = calloc(npages, sizeof(*control->frames));
	control->mem = mmap(NULL, npages * control->page_size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!control->frames || control->mem == MAP_FAILED)
		gmem_broken("out of memory");
	/* Fails where there are no huge pages, which is as good. */
	madvise(control->mem, npages * control->page_size, MADV_NOHUGEPAGE);
	return control;
}

void gmem_control_free(struct gmem_control *control)
{
	if (!control)
		return;
	munmap(control->mem, gmem_control_size(control));
	free(control->frames);
	free(control);
}

void gmem_control_touch(struct gmem_control *control, size_t first, size_t count)
{
	for (size_t page = first; page < first + count; page++)
		WRITE_ONCE(control->mem[page * control->page_size], 1);
}

void gmem_control_touch_on(struct gmem_control *control, int node)
{
	gmem_control_touch(control, 0, control->npages);
	gmem_numa_move(control->mem, control->npages, control->page_size, node, false);
}

void gmem_control_discard(struct gmem_control *control, size_t first, size_t count)
{
	if (madvise(control->mem + first * control->page_size, count * control->page_size,
		    MADV_DONTNEED))
		gmem_broken("MADV_DONTNEED: %m");
}

size_t gmem_control_present(const struct gmem_control *control)
{
	__u64 *now = calloc(control->npages, sizeof(*now));
	size_t present = 0;

	if (!now)
		gmem_broken("out of memory");
	gmem_frame_read_mapped(control->mem, control->npages, control->page_size, now);
	for (size_t page = 0; page < control->npages; page++)
		present += now[page] != 0;
	free(now);
	return present;
}

static size_t compare(struct gmem_control *control, bool forget)
{
	__u64 *now = calloc(control->npages, sizeof(*now));
	size_t moved = 0;

	if (!now)
		gmem_broken("out of memory");
	gmem_frame_read_mapped(control->mem, control->npages, control->page_size, now);
	for (size_t page = 0; page < control->npages; page++)
		moved += now[page] != control->frames[page];
	if (forget)
		memcpy(control->frames, now, control->npages * sizeof(*now));
	free(now);
	return moved;
}

size_t gmem_control_moved(struct gmem_control *control)
{
	return compare(control, true);
}

size_t gmem_control_away(struct gmem_control *control)
{
	return compare(control, false);
}

void gmem_control_look(struct gmem_control *control)
{
	struct gmem_deadline deadline = gmem_deadline_in(PATIENCE);
	bool unseen;

	do {
		for (size_t page = 0; page < control->npages; page++)
			(void)READ_ONCE(control->mem[page * control->page_size]);
		gmem_control_moved(control);
		unseen = gmem_frame_among(0, control->frames, control->npages);
	} while (unseen && gmem_deadline_poll(&deadline));
	if (unseen)
		gmem_broken("an ordinary page has no frame for %d seconds", PATIENCE);
}
