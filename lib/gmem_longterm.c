// SPDX-License-Identifier: GPL-2.0-only
/* Longterm pins, and the trigger that they are: out of ZONE_MOVABLE first. */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <linux/stddef.h>
#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "gmem_case.h"
#include "gmem_control.h"
#include "gmem_longterm.h"
#include "gmem_numa.h"
#include "gmem_place.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_trigger.h"

int __gmem_longterm_pin(const struct iovec *buffers, unsigned int count)
{
	struct io_uring_params params = {};
	int ring = syscall(__NR_io_uring_setup, 1, &params);
	int err;

	if (ring < 0)
		return -errno;
	if (!syscall(__NR_io_uring_register, ring, IORING_REGISTER_BUFFERS, buffers, count))
		return ring;
	err = -errno;
	close(ring);
	return err;
}

int gmem_longterm_pin(const struct iovec *buffers, unsigned int count)
{
	int ring = __gmem_longterm_pin(buffers, count);

	if (ring < 0)
		gmem_broken("pinning buffers for io_uring: %s", strerror(-ring));
	return ring;
}

void gmem_longterm_release(int ring)
{
	/* Closing the ring unpins some time later. */
	if (syscall(__NR_io_uring_register, ring, IORING_UNREGISTER_BUFFERS, NULL, 0))
		gmem_broken("IORING_UNREGISTER_BUFFERS: %m");
	close(ring);
}

static void longterm_pin_place(struct gmem_scene *scene)
{
	gmem_scene_allocate_on(scene, gmem_place_movable_node());
}

/* That it cannot be pinned is no verdict of ours, but that it has not moved is. */
static void longterm_pin_fire(struct gmem_scene *scene)
{
	const struct iovec region = {
		gmem_region_host(scene->region, 0), gmem_region_size(scene->region)
	};
	const struct iovec control = {
		scene->control->mem, gmem_control_size(scene->control)
	};
	int ring = __gmem_longterm_pin(&region, 1);

	if (ring >= 0)
		gmem_longterm_release(ring);
	gmem_longterm_release(gmem_longterm_pin(&control, 1));
}

const struct gmem_trigger gmem_trigger_longterm_pin = {
	.name = "longterm_pin",
	.by_address = true,
	.rounds = 1,
	.missing = gmem_numa_missing,
	.place = longterm_pin_place,
	.fire = longterm_pin_fire,
};
