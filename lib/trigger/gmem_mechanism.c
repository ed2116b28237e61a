// SPDX-License-Identifier: GPL-2.0-only
/* What the rows of mechanisms share: advice, and counting what was acted upon. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "case/gmem_alloc.h"
#include "case/gmem_result.h"
#include "mm/gmem_anon.h"
#include "trigger/gmem_mechanism.h"
#include "trigger/gmem_migration.h"
#include "vm/gmem_region.h"

/* Rows that count keep the number of pages in migration->private, and nothing else. */
static size_t *acted_upon(struct gmem_migration *migration)
{
	if (!migration->private)
		migration->private = gmem_zalloc(1, sizeof(size_t));
	return migration->private;
}

void gmem_mechanism_count(struct gmem_migration *migration, size_t pages)
{
	*acted_upon(migration) += pages;
}

size_t gmem_mechanism_acted_upon(struct gmem_migration *migration)
{
	size_t pages = *acted_upon(migration);

	*acted_upon(migration) = 0;
	return pages;
}

void gmem_mechanism_cleanup(struct gmem_migration *migration)
{
	free(migration->private);
}

void gmem_mechanism_advise_control(struct gmem_migration *migration, int advice, const char *name)
{
	if (madvise(migration->control->mem, gmem_anon_size(migration->control), advice))
		gmem_broken("%s of anonymous memory: %m", name);
}

void gmem_mechanism_advise_region(struct gmem_migration *migration, void *mem, int advice,
				  const char *name, int want)
{
	int got = madvise(mem, gmem_region_size(migration->region), advice) ? errno : 0;

	if (got != want)
		gmem_fail(GMEM_MECHANISM_ONLY,
			  "%s of guest_memfd: wanted errno %d (%s), got %d (%s)", name, want,
			  strerror(want), got, strerror(got));
}

void gmem_mechanism_advise(struct gmem_migration *migration, int advice, const char *name)
{
	gmem_mechanism_advise_region(migration, gmem_region_host(migration->region, 0), advice,
				     name, 0);
	gmem_mechanism_advise_control(migration, advice, name);
}

bool gmem_mechanism_moved_half(void *arg)
{
	struct gmem_migration *migration = arg;

	gmem_mechanism_count(migration, gmem_anon_moved(migration->control));
	return *acted_upon(migration) > migration->control->npages / 2;
}

size_t gmem_mechanism_fewer(size_t before, size_t after)
{
	return before > after ? before - after : 0;
}
