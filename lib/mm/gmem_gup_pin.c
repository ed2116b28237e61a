// SPDX-License-Identifier: GPL-2.0-only
/* Longterm pins (FOLL_LONGTERM), taken as io_uring's fixed buffers. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
/* io_uring.h uses __DECLARE_FLEX_ARRAY() without an include of its own. */
#include <linux/stddef.h>
#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "case/gmem_result.h"
#include "mm/gmem_gup_pin.h"

int __gmem_gup_pin(const struct iovec *buffers, unsigned int count)
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

int gmem_gup_pin(const struct iovec *buffers, unsigned int count)
{
	int ring = __gmem_gup_pin(buffers, count);

	if (ring < 0)
		gmem_broken("pinning buffers for io_uring: %s", strerror(-ring));
	return ring;
}

void gmem_gup_unpin(int ring)
{
	/* close(2) alone would release the pins some time later. */
	if (syscall(__NR_io_uring_register, ring, IORING_UNREGISTER_BUFFERS, NULL, 0))
		gmem_broken("IORING_UNREGISTER_BUFFERS: %m");
	close(ring);
}
