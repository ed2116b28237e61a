// SPDX-License-Identifier: GPL-2.0-only
/* The trigger that has kcompactd compact proactively, before anybody needs a huge page. */
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "case/gmem_deadline.h"
#include "case/gmem_file.h"
#include "case/gmem_result.h"
#include "mm/gmem_hugetlb.h"
#include "mm/gmem_numa.h"
#include "trigger/gmem_compaction.h"
#include "trigger/gmem_trigger.h"

#define PROACTIVENESS	"/proc/sys/vm/compaction_proactiveness"

/*
 * The pages in holes, and the huge pages that stay free beside them.  A third of the free memory
 * is in holes then; kcompactd compacts if it is more than a sixth.
 */
#define PROACTIVE_HOLES	8192
#define HUGE_LEFT	32

static enum gmem_skip_reason proactive_missing(void)
{
	enum gmem_skip_reason why = gmem_compaction_missing();
	int node = gmem_numa_node(0);

	if (!why && !gmem_file_exists(PROACTIVENESS))
		why = GMEM_SKIP_no_compaction;
	if (!why)
		why = gmem_hugetlb_missing(node);
	if (!why && gmem_hugetlb_page_size() * 2 * HUGE_LEFT > gmem_numa_free(node))
		why = GMEM_SKIP_no_huge_pages;
	return why;
}

static void proactive_allocate(struct gmem_migration *migration)
{
	int node = gmem_numa_node(0);

	gmem_hugetlb_keep(node);
	gmem_compaction_allocate(migration, PROACTIVE_HOLES);
	gmem_hugetlb_take_free(node, HUGE_LEFT);
}

/* Finds the path of the stat file of the node's kcompactd, whose pid is not known. */
static void find_kcompactd(int node, char *path, size_t size)
{
	char want[32], name[32];
	glob_t tasks;

	snprintf(want, sizeof(want), "kcompactd%d", node);
	if (glob("/proc/[0-9]*/comm", 0, NULL, &tasks))
		gmem_broken("/proc shows no task");
	for (size_t i = 0; !path[0] && i < tasks.gl_pathc; i++)
		if (__gmem_file_read(tasks.gl_pathv[i], name, sizeof(name)) > 0 &&
		    !strcmp(name, want))
			snprintf(path, size, "%.*s/stat", (int)(strlen(tasks.gl_pathv[i]) -
								strlen("/comm")),
				 tasks.gl_pathv[i]);
	globfree(&tasks);
	if (!path[0])
		gmem_broken("no task is named %s", want);
}

/*
 * Whether the node's kcompactd waits for work.  It does that in state S, and waits for anything
 * else in state D.
 */
static bool kcompactd_is_idle(int node)
{
	static char path[64];
	char stat[256], state;

	if (!path[0])
		find_kcompactd(node, path, sizeof(path));
	if (__gmem_file_read(path, stat, sizeof(stat)) < 0 ||
	    sscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
		gmem_broken("%s does not show the state of kcompactd%d", path, node);
	return state == 'S';
}

/*
 * Sets the proactiveness, which makes the kernel check every node at once, and waits until the
 * node is compacted.  It does so only once, because no holes are left for a second time.
 */
static void proactive_fire(struct gmem_migration *migration)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_SLOW_TIMEOUT_S);
	static bool done;

	if (done)
		return;
	gmem_file_write(PROACTIVENESS, "100");
	while ((!gmem_compaction_done(migration) || !kcompactd_is_idle(gmem_numa_node(0))) &&
	       gmem_deadline_poll(&deadline))
		;
	gmem_file_write(PROACTIVENESS, "0");
	done = true;
}

const struct gmem_trigger gmem_trigger_proactive = {
	.name = "proactive",
	.rounds = 1,
	.missing = proactive_missing,
	.allocate = proactive_allocate,
	.fire = proactive_fire,
	.cleanup = gmem_compaction_cleanup,
};
