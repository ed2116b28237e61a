// SPDX-License-Identifier: GPL-2.0-only
/* What the mechanisms' rows share: advice, and what was taken of the control. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "gmem_case.h"
#include "gmem_control.h"
#include "gmem_mechanism_row.h"
#include "gmem_region.h"
#include "gmem_scene.h"

void gmem_mechanism_advise_control(struct gmem_scene *scene, int advice, const char *name)
{
	if (madvise(scene->control->mem, gmem_control_size(scene->control), advice))
		gmem_broken("%s of ordinary memory: %m", name);
}

void gmem_mechanism_advise_region(struct gmem_scene *scene, void *mem, int advice,
				  const char *name, int want)
{
	int got = madvise(mem, gmem_region_size(scene->region), advice) ? errno : 0;

	if (got != want)
		gmem_fail(GMEM_C5, "%s of guest_memfd: wanted errno %d (%s), got %d (%s)", name,
			  want, strerror(want), got, strerror(got));
}

void gmem_mechanism_advise(struct gmem_scene *scene, int advice, const char *name)
{
	gmem_mechanism_advise_region(scene, gmem_region_host(scene->region, 0), advice, name, 0);
	gmem_mechanism_advise_control(scene, advice, name);
}

bool gmem_mechanism_took_half(void *arg)
{
	struct gmem_scene *scene = arg;

	scene->took += gmem_control_moved(scene->control);
	return scene->took > scene->control->npages / 2;
}

size_t gmem_mechanism_fewer(size_t before, size_t after)
{
	return before > after ? before - after : 0;
}
