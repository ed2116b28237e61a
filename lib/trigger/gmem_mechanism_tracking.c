// SPDX-License-Identifier: GPL-2.0-only
/* Mechanisms that track accesses: they clear the accessed bit, and look at it again later. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <linux/bits.h>
#include <linux/mman.h>

#include "case/gmem_file.h"
#include "case/gmem_result.h"
#include "mm/gmem_anon.h"
#include "trigger/gmem_mechanism.h"
#include "trigger/gmem_migration.h"
#include "trigger/gmem_trigger.h"
#include "vm/gmem_region.h"

/* Counts the pages of the control that were referenced, by Referenced of /proc/self/smaps. */
static size_t referenced_pages(const struct gmem_migration *migration)
{
	unsigned long start, end, address = (unsigned long)migration->control->mem;
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
			return kib * 1024 / migration->control->page_size;
		}
	}
	gmem_broken("/proc/self/smaps has no Referenced line for the control");
}

static void madv_cold_fire(struct gmem_migration *migration)
{
	size_t before;

	gmem_anon_touch(migration->control, 0, migration->control->npages);
	before = referenced_pages(migration);
	gmem_mechanism_advise(migration, MADV_COLD, "MADV_COLD");
	gmem_mechanism_count(migration, gmem_mechanism_fewer(before, referenced_pages(migration)));
}

const struct gmem_trigger gmem_trigger_madv_cold = {
	.name = "madv_cold",
	.by_address = true,
	.fire = madv_cold_fire,
	.acted_upon = gmem_mechanism_acted_upon,
	.cleanup = gmem_mechanism_cleanup,
};

static void clear_refs_fire(struct gmem_migration *migration)
{
	size_t before;

	gmem_anon_touch(migration->control, 0, migration->control->npages);
	before = referenced_pages(migration);
	gmem_file_write("/proc/self/clear_refs", "1");
	gmem_mechanism_count(migration, gmem_mechanism_fewer(before, referenced_pages(migration)));
}

const struct gmem_trigger gmem_trigger_clear_refs = {
	.name = "clear_refs",
	.fire = clear_refs_fire,
	.acted_upon = gmem_mechanism_acted_upon,
	.cleanup = gmem_mechanism_cleanup,
};

static void clear_soft_dirty_fire(struct gmem_migration *migration)
{
	gmem_file_write("/proc/self/clear_refs", "4");
}

const struct gmem_trigger gmem_trigger_clear_soft_dirty = {
	.name = "clear_soft_dirty",
	.notifies_all = true,
	.fire = clear_soft_dirty_fire,
};

#define PAGE_IDLE	"/sys/kernel/mm/page_idle/bitmap"
#define IDLE_BITS	64	/* of a word; the bitmap is read and written in whole words */

static enum gmem_skip_reason page_idle_missing(void)
{
	return gmem_file_exists(PAGE_IDLE) ? GMEM_SKIP_none : GMEM_SKIP_no_page_idle;
}

static void mark_idle(int fd, const u64 *pfns, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		u64 word = BIT_ULL(pfns[i] % IDLE_BITS);

		if (pwrite(fd, &word, sizeof(word), pfns[i] / IDLE_BITS * sizeof(word)) !=
		    sizeof(word))
			gmem_broken(PAGE_IDLE ": pfn %#lx: %m", pfns[i]);
	}
}

static size_t count_idle(int fd, const u64 *pfns, size_t count)
{
	size_t idle = 0;
	u64 word;

	for (size_t i = 0; i < count; i++) {
		if (pread(fd, &word, sizeof(word), pfns[i] / IDLE_BITS * sizeof(word)) !=
		    sizeof(word))
			gmem_broken(PAGE_IDLE ": pfn %#lx: %m", pfns[i]);
		idle += !!(word & BIT_ULL(pfns[i] % IDLE_BITS));
	}
	return idle;
}

static void page_idle_fire(struct gmem_migration *migration)
{
	struct gmem_anon *control = migration->control;
	int fd = open(PAGE_IDLE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		gmem_broken(PAGE_IDLE ": %m");
	mark_idle(fd, migration->pfns, migration->region->npages);
	mark_idle(fd, control->pfns, control->npages);
	/* Reading the bitmap makes the kernel look at the accessed bits again. */
	count_idle(fd, migration->pfns, migration->region->npages);
	gmem_mechanism_count(migration, count_idle(fd, control->pfns, control->npages));
	close(fd);
}

const struct gmem_trigger gmem_trigger_page_idle = {
	.name = "page_idle",
	.missing = page_idle_missing,
	.fire = page_idle_fire,
	.acted_upon = gmem_mechanism_acted_upon,
	.cleanup = gmem_mechanism_cleanup,
};
