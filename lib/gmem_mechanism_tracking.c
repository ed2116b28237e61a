// SPDX-License-Identifier: GPL-2.0-only
/* Mechanisms that track accesses: they take the accessed bit, and look again. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <linux/mman.h>

#include "gmem_case.h"
#include "gmem_control.h"
#include "gmem_file.h"
#include "gmem_mechanism.h"
#include "gmem_mechanism_row.h"
#include "gmem_region.h"
#include "gmem_scene.h"

/* Pages of the control that were referenced, by the kernel's account of its mapping. */
static size_t referenced_pages(const struct gmem_scene *scene)
{
	unsigned long start, end, address = (unsigned long)scene->control->mem;
	bool inside = false;
	char line[256];
	size_t kib;
	FILE *file;

	file = fopen("/proc/self/smaps", "re");
	if (!file)
		gmem_broken("/proc/self/smaps: %m");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = start <= address && address < end;
		if (inside && sscanf(line, "Referenced: %zu kB", &kib) == 1) {
			fclose(file);
			return kib * 1024 / scene->control->page_size;
		}
	}
	gmem_broken("/proc/self/smaps does not tell what was referenced");
}

static void madv_cold_fire(struct gmem_scene *scene)
{
	size_t before;

	gmem_control_touch(scene->control, 0, scene->control->npages);
	before = referenced_pages(scene);
	gmem_mechanism_advise(scene, MADV_COLD, "MADV_COLD");
	scene->took += gmem_mechanism_fewer(before, referenced_pages(scene));
}

const struct gmem_trigger gmem_mechanism_madv_cold = {
	.name = "madv_cold",
	.by_address = true,
	.fire = madv_cold_fire,
};

static void clear_refs_fire(struct gmem_scene *scene)
{
	size_t before;

	gmem_control_touch(scene->control, 0, scene->control->npages);
	before = referenced_pages(scene);
	gmem_file_write("/proc/self/clear_refs", "1");
	scene->took += gmem_mechanism_fewer(before, referenced_pages(scene));
}

const struct gmem_trigger gmem_mechanism_clear_refs = {
	.name = "clear_refs",
	.fire = clear_refs_fire,
};

static void clear_soft_dirty_fire(struct gmem_scene *scene)
{
	gmem_file_write("/proc/self/clear_refs", "4");
}

const struct gmem_trigger gmem_mechanism_clear_soft_dirty = {
	.name = "clear_soft_dirty",
	.notifies_all = true,
	.fire = clear_soft_dirty_fire,
};

#define PAGE_IDLE	"/sys/kernel/mm/page_idle/bitmap"
#define IDLE_BITS	64	/* a word of the bitmap, which is read and written whole */

static enum gmem_skip page_idle_missing(void)
{
	return gmem_file_exists(PAGE_IDLE) ? GMEM_SKIP_none : GMEM_SKIP_no_page_idle;
}

static void mark_idle(int fd, const __u64 *frames, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		__u64 word = BIT_ULL(frames[i] % IDLE_BITS);

		if (pwrite(fd, &word, sizeof(word), frames[i] / IDLE_BITS * sizeof(word)) !=
		    sizeof(word))
			gmem_broken(PAGE_IDLE ": frame %#llx: %m", frames[i]);
	}
}

static size_t count_idle(int fd, const __u64 *frames, size_t count)
{
	size_t idle = 0;
	__u64 word;

	for (size_t i = 0; i < count; i++) {
		if (pread(fd, &word, sizeof(word), frames[i] / IDLE_BITS * sizeof(word)) !=
		    sizeof(word))
			gmem_broken(PAGE_IDLE ": frame %#llx: %m", frames[i]);
		idle += !!(word & BIT_ULL(frames[i] % IDLE_BITS));
	}
	return idle;
}

static void page_idle_fire(struct gmem_scene *scene)
{
	struct gmem_control *control = scene->control;
	int fd = open(PAGE_IDLE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		gmem_broken(PAGE_IDLE ": %m");
	mark_idle(fd, scene->frames, scene->region->npages);
	mark_idle(fd, control->frames, control->npages);
	/* Reading looks at the accessed bits anew. */
	count_idle(fd, scene->frames, scene->region->npages);
	scene->took += count_idle(fd, control->frames, control->npages);
	close(fd);
}

const struct gmem_trigger gmem_mechanism_page_idle = {
	.name = "page_idle",
	.missing = page_idle_missing,
	.fire = page_idle_fire,
};
