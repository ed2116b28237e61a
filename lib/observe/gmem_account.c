// SPDX-License-Identifier: GPL-2.0-only
/* Accounting: what the kernel counts, and which VMs it keeps. */
#include <dirent.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "case/gmem_deadline.h"
#include "case/gmem_file.h"
#include "case/gmem_result.h"
#include "mm/gmem_cgroup.h"
#include "mm/gmem_kpageflags.h"
#include "mm/gmem_numa.h"
#include "mm/gmem_watermark.h"
#include "observe/gmem_account.h"

/* Writes to stat_refresh; each of them frees an eighth of a CPU's excess free pages. */
#define REFRESHES 32

#define KVM_DEBUGFS "/sys/kernel/debug/kvm"

static const char * const counter_names[GMEM_COUNTERS] = {
	[GMEM_NR_FILE_PAGES] = "nr_file_pages",
	[GMEM_NR_UNEVICTABLE] = "nr_unevictable",
	[GMEM_NR_ISOLATED_FILE] = "nr_isolated_file",
	[GMEM_NR_MLOCK] = "nr_mlock",
	[GMEM_NR_FREE_PAGES] = "nr_free_pages",
};

static void read_node(int node, long *counters)
{
	char line[128], name[64];
	int missing = GMEM_COUNTERS;
	FILE *file;
	long value;

	snprintf(line, sizeof(line), "/sys/devices/system/node/node%d/vmstat", node);
	file = fopen(line, "re");
	if (!file)
		gmem_broken("%s: %m", line);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63s %ld", name, &value) != 2)
			continue;
		for (int i = 0; i < GMEM_COUNTERS; i++) {
			if (strcmp(name, counter_names[i]))
				continue;
			counters[i] = value;
			missing--;
		}
	}
	fclose(file);
	if (missing)
		gmem_broken("node %d: vmstat lacks %d of %d counters", node, missing,
			    GMEM_COUNTERS);
}

void gmem_account_begin(void)
{
	gmem_skip_if(gmem_numa_missing());
	if (!gmem_cgroup_offers("memory"))
		gmem_skip_if(GMEM_SKIP_no_memcg);
	gmem_cgroup_enter("memory");
	gmem_watermark_shrink_pcp();
}

void gmem_account_read(struct gmem_account *account)
{
	long page_size = getpagesize();

	/*
	 * First flush the folios that are on their way to an LRU list.  Then fold the counters
	 * that each CPU keeps to itself, and make it free some of the pages that it keeps.
	 */
	gmem_kpageflags_drain();
	for (int i = 0; i < REFRESHES; i++)
		gmem_file_write("/proc/sys/vm/stat_refresh", "1");
	for (int nth = 0; nth < 2; nth++) {
		int node = gmem_numa_node(nth);

		read_node(node, account->node[nth]);
		account->file[nth] = gmem_cgroup_numa_stat("file", node) / page_size;
		account->unevictable[nth] =
			gmem_cgroup_numa_stat("unevictable", node) / page_size;
	}
	account->charged = gmem_cgroup_read("memory.current") / page_size;
}

static void check_growth(const struct gmem_location *at, long want, long got, long slack,
			 const char *when, int nth, const char *what)
{
	if (labs(want - got) > slack)
		gmem_fail_at(at, GMEM_ACCOUNTING,
			     "%s: node %d: wanted %ld pages more in %s, got %ld", when,
			     gmem_numa_node(nth), want, what, got);
}

void gmem_account_check_at(const struct gmem_location *at, const struct gmem_account *before,
			   const struct gmem_account *now, const long pages[2], bool locked,
			   long slack, const char *when)
{
	for (int nth = 0; nth < 2; nth++) {
		const long want[] = {
			[GMEM_NR_FILE_PAGES] = pages[nth],
			[GMEM_NR_UNEVICTABLE] = pages[nth],
			[GMEM_NR_ISOLATED_FILE] = 0,
			[GMEM_NR_MLOCK] = locked ? pages[nth] : 0,
		};

		for (int i = 0; i <= GMEM_NR_MLOCK; i++)
			check_growth(at, want[i], now->node[nth][i] - before->node[nth][i], slack,
				     when, nth, counter_names[i]);
		check_growth(at, pages[nth], now->file[nth] - before->file[nth], slack, when, nth,
			     "the cgroup's page cache");
		check_growth(at, pages[nth], now->unevictable[nth] - before->unevictable[nth],
			     slack, when, nth, "the cgroup's unevictable memory");
	}
}

/*
 * Reads the counters, and returns the name of one that is not back at @before, or NULL.  It has
 * *pages more than it had, on *node, which is -1 for the cgroup's counter.
 */
static const char *find_difference(const struct gmem_account *before, long slack, long *pages,
				   int *node)
{
	struct gmem_account now;

	gmem_account_read(&now);
	for (int nth = 0; nth < 2; nth++)
		for (int i = 0; i < GMEM_COUNTERS; i++) {
			*node = gmem_numa_node(nth);
			*pages = now.node[nth][i] - before->node[nth][i];
			/* More free pages are fine: CPUs free what they had kept before, too. */
			if (i == GMEM_NR_FREE_PAGES ? *pages < -slack : labs(*pages) > slack)
				return counter_names[i];
		}
	*node = -1;
	*pages = now.charged - before->charged;
	return labs(*pages) > slack ? "memory.current" : NULL;
}

/* Slabs keep freed objects for the next allocation, and KASAN does to detect late uses. */
static void shrink_slabs(void)
{
	glob_t caches;

	if (glob("/sys/kernel/slab/*/shrink", 0, NULL, &caches))
		return;
	for (size_t i = 0; i < caches.gl_pathc; i++)
		gmem_file_write(caches.gl_pathv[i], "1");
	globfree(&caches);
}

void gmem_account_wait_at(const struct gmem_location *at, const struct gmem_account *before,
			  long slack)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_TIMEOUT_S);
	const char *counter;
	long pages;
	int node;

	while ((counter = find_difference(before, slack, &pages, &node))) {
		shrink_slabs();
		if (!gmem_deadline_poll(&deadline))
			gmem_fail_at(at, GMEM_ACCOUNTING,
				     "all is freed: node %d: wanted %s as it was before, got %ld pages more",
				     node, counter, pages);
	}
}

int gmem_account_vms(pid_t pid)
{
	DIR *dir = opendir(KVM_DEBUGFS);
	struct dirent *entry;
	int owner, fd, vms = 0;

	if (!dir)
		gmem_broken(KVM_DEBUGFS ": %m");
	/* A VM's directory is named after the creating process and its file descriptor. */
	while ((entry = readdir(dir)))
		vms += sscanf(entry->d_name, "%d-%d", &owner, &fd) == 2 && owner == pid;
	closedir(dir);
	return vms;
}

void gmem_account_wait_vms_at(const struct gmem_location *at, pid_t pid)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_TIMEOUT_S);

	while (gmem_account_vms(pid))
		if (!gmem_deadline_poll(&deadline))
			gmem_fail_at(at, GMEM_ACCOUNTING,
				     "wanted the VM of process %d gone, got it in debugfs", pid);
}
