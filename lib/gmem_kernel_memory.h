/* SPDX-License-Identifier: GPL-2.0-only */
/* What memory the kernel holds for itself, by /proc/meminfo, in KiB. */
#ifndef GMEM_KERNEL_MEMORY_H
#define GMEM_KERNEL_MEMORY_H

struct gmem_kernel_memory {
	long used;		/* of all memory, what is not available */
	long kernel;		/* neither free, nor page cache, anonymous or huge pages */
	/* Of that: */
	long slab, stacks, tables, percpu;
	long rest;		/* accounted for nowhere: also what CPUs have on their lists */
};

/* BROKEN if /proc/meminfo cannot be read. */
void gmem_kernel_memory_read(struct gmem_kernel_memory *memory);

#endif /* GMEM_KERNEL_MEMORY_H */
