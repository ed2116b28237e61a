// SPDX-License-Identifier: GPL-2.0-only
/* Memory failure: the ways to make the kernel take a page out of use. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/bits.h>
#include <linux/kernel-page-flags.h>
#include <linux/mman.h>
#include <sys/mman.h>

#include "case/gmem_file.h"
#include "case/gmem_restore.h"
#include "case/gmem_result.h"
#include "mm/gmem_kpageflags.h"
#include "mm/gmem_poison.h"

#define MEMORY	"/sys/devices/system/memory"
#define HWPOISON "/sys/kernel/debug/hwpoison"
#define UNPOISON HWPOISON "/unpoison-pfn"

/* The most pages that a case may take out of use; gmem_restore has an entry for each, too. */
#define MAX_PAGES 32

const struct gmem_poison gmem_poison_soft_offline_page = {
	.name = "soft_offline_page",
	.file = MEMORY "/soft_offline_page",
};

const struct gmem_poison gmem_poison_madv_soft_offline = {
	.name = "MADV_SOFT_OFFLINE",
	.advice = MADV_SOFT_OFFLINE,
};

const struct gmem_poison gmem_poison_hard_offline_page = {
	.name = "hard_offline_page",
	.file = MEMORY "/hard_offline_page",
};

const struct gmem_poison gmem_poison_madv_hwpoison = {
	.name = "MADV_HWPOISON",
	.advice = MADV_HWPOISON,
};

const struct gmem_poison gmem_poison_corrupt_pfn = {
	.name = "corrupt-pfn",
	.file = HWPOISON "/corrupt-pfn",
	.by_number = true,
};

static struct {
	u64 pfn[MAX_PAGES];
	size_t n;
	long before;		/* pages that were out of use before the first one */
} taken;

enum gmem_skip_reason gmem_poison_missing(const struct gmem_poison *how)
{
	/* soft_offline_page exists only with CONFIG_MEMORY_FAILURE. */
	if (!gmem_file_exists(MEMORY "/soft_offline_page") || !gmem_file_exists(UNPOISON) ||
	    (how->file && !gmem_file_exists(how->file)))
		return GMEM_SKIP_no_memory_failure;
	return GMEM_SKIP_none;
}

/* Undoes what an administrator may have set: that the kernel refuses, or panics. */
static void prepare(void)
{
	gmem_sysctl_set("/proc/sys/vm/enable_soft_offline", "1");
	gmem_sysctl_set("/proc/sys/vm/memory_failure_recovery", "1");
	taken.before = gmem_poison_count();
}

/* Does what gmem_poison_has() does, for the restorer, which cannot end the case as BROKEN. */
static bool is_poisoned(u64 pfn)
{
	int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	u64 flags = 0;

	if (fd < 0)
		return false;
	if (pread(fd, &flags, sizeof(flags), pfn * sizeof(flags)) != sizeof(flags))
		flags = 0;
	close(fd);
	return flags & BIT_ULL(KPF_HWPOISON);
}

/*
 * Brings the pfn @number back into use at the end of a case.  The kernel refuses that until
 * the case's files and mappings are gone.
 */
static void restore_page(const char *path, const char *number)
{
	u64 pfn = strtoull(number, NULL, 0);

	for (int i = 0; is_poisoned(pfn) && i < 1000; i++)
		if (__gmem_file_write(path, number))
			usleep(1000);
	if (is_poisoned(pfn))
		fprintf(stderr, "# putting back: pfn %s stays out of use\n", number);
}

/* Remembers @pfn, once, and arranges that it comes back into use when the case ends. */
static void remember(u64 pfn)
{
	char number[32];

	for (size_t i = 0; i < taken.n; i++)
		if (taken.pfn[i] == pfn)
			return;
	if (!taken.n)
		prepare();
	if (taken.n == MAX_PAGES)
		gmem_broken("the case takes more than %d pages out of use", MAX_PAGES);
	taken.pfn[taken.n++] = pfn;
	snprintf(number, sizeof(number), "%#lx", pfn);
	gmem_restore_call(restore_page, UNPOISON, number);
}

int __gmem_poison(const struct gmem_poison *how, void *addr, u64 pfn)
{
	char text[32];

	remember(pfn);
	if (!how->file)
		return madvise(addr, getpagesize(), how->advice) ? -errno : 0;
	snprintf(text, sizeof(text), "%#lx", how->by_number ? pfn : pfn * getpagesize());
	return __gmem_file_write(how->file, text);
}

bool gmem_poison_has(u64 pfn)
{
	u64 flags;

	gmem_kpageflags_read(&pfn, 1, &flags);
	return flags & BIT_ULL(KPF_HWPOISON);
}

long gmem_poison_count(void)
{
	const char *key = "HardwareCorrupted:";
	char meminfo[4096], *line;
	long kib;

	if (__gmem_file_read("/proc/meminfo", meminfo, sizeof(meminfo)) < 0)
		gmem_broken("/proc/meminfo: %m");
	line = strstr(meminfo, key);
	if (!line || sscanf(line + strlen(key), "%ld kB", &kib) != 1)
		gmem_broken("no %s in /proc/meminfo", key);
	return kib * 1024 / getpagesize();
}

void gmem_poison_take_back(void)
{
	char text[32];
	long count;
	int err;

	for (; taken.n; taken.n--) {
		u64 pfn = taken.pfn[taken.n - 1];

		if (!gmem_poison_has(pfn))
			continue;
		snprintf(text, sizeof(text), "%#lx", pfn);
		err = __gmem_file_write(UNPOISON, text);
		if (err)
			gmem_broken("pfn %#lx cannot be brought back into use: %s", pfn,
				    strerror(-err));
	}
	count = gmem_poison_count();
	if (count != taken.before)
		gmem_fail(GMEM_MEMORY_FAILURE,
			  "wanted %ld pages out of use in /proc/meminfo once all are back, got %ld",
			  taken.before, count);
}
