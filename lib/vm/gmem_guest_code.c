// SPDX-License-Identifier: GPL-2.0-only
/* Guest code: what the vCPU does, and what it shares with the host. */
#include <linux/sizes.h>

#include <asm/barrier.h>

#include "kvm_util.h"
#include "ucall_common.h"

#include "case/gmem_result.h"
#include "case/gmem_watchdog.h"
#include "vm/gmem_guest_code.h"
#include "vm/gmem_pattern.h"
#include "vm/gmem_region.h"

#define SHARED_GPA	SZ_4G
#define SHARED_SLOT	1

/* Does @work on @page.  Returns false if the page does not hold what it must. */
static bool handle_page(struct gmem_guest_shared *shared, u64 page, u32 work)
{
	u64 *va = (void *)(shared->gva + page * shared->words * sizeof(u64));
	u16 generation = READ_ONCE(shared->generation[page]);

	if (work != GMEM_GUEST_OVERWRITE &&
	    !gmem_check_page(va, shared->words, shared->step, shared->key, page, generation,
			     &shared->bad)) {
		WRITE_ONCE(shared->mismatched, 1);
		return false;
	}
	if (work == GMEM_GUEST_WRITE || work == GMEM_GUEST_OVERWRITE) {
		generation = gmem_next_generation(generation);
		gmem_stamp_page(va, shared->words, shared->step, shared->key, page, generation);
		/* Whoever sees the new generation must also see every word of it. */
		smp_wmb();
		WRITE_ONCE(shared->generation[page], generation);
	}
	WRITE_ONCE(shared->progress, shared->progress + 1);
	return true;
}

static void do_work(struct gmem_guest_shared *shared)
{
	u32 work = READ_ONCE(shared->work);

	do {
		for (u64 i = 0; i < shared->count; i++) {
			/* The first pass is always finished, because the host waits for it. */
			if (READ_ONCE(shared->stop) && shared->passed)
				return;
			if (!handle_page(shared, shared->first + i, work))
				return;
		}
		shared->passed = 1;
	} while (work != GMEM_GUEST_CHECK && !READ_ONCE(shared->stop));
}

static void guest_code(void)
{
	struct gmem_guest_shared *shared = (struct gmem_guest_shared *)SHARED_GPA;

	for (;;) {
		do_work(shared);
		GUEST_SYNC(0);
	}
}

static size_t shared_size(size_t npages)
{
	return sizeof(struct gmem_guest_shared) + npages * sizeof(u16);
}

struct gmem_guest_shared *gmem_guest_shared_create(struct gmem_region *region)
{
	struct kvm_vm *vm = region->vm;
	size_t size = align_up(shared_size(region->npages), region->page_size);
	struct gmem_guest_shared *shared;

	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, SHARED_GPA, SHARED_SLOT,
				    vm_adjust_num_guest_pages(vm->mode, size / vm->page_size), 0);
	virt_map(vm, SHARED_GPA, SHARED_GPA, size / vm->page_size);
	shared = addr_gpa2hva(vm, SHARED_GPA);
	vcpu_arch_set_entry_point(region->vcpu, guest_code);
	shared->gva = region->gpa;
	shared->words = region->page_size / sizeof(u64);
	shared->step = GMEM_EVERY_WORD;
	shared->key = gmem_pattern_key(gmem_seed());
	return shared;
}

void gmem_guest_shared_write_on_host(struct gmem_guest_shared *shared,
				     struct gmem_region *region, size_t first, size_t count)
{
	gmem_watchdog_arm(GMEM_HOST_MAPPING, "the host writes guest_memfd");
	for (size_t page = first; page < first + count; page++) {
		shared->generation[page] = gmem_next_generation(shared->generation[page]);
		gmem_stamp_page(gmem_region_host(region, page), shared->words, shared->step,
				shared->key, page, shared->generation[page]);
	}
	gmem_watchdog_disarm();
}

/* Whether @got is the stamp of a generation from @first to the one after @last. */
static bool is_between(const struct gmem_mismatch *at, u64 key, u64 got, u16 first, u16 last)
{
	u16 end = gmem_next_generation(gmem_next_generation(last));

	for (; first != end; first = gmem_next_generation(first))
		if (got == gmem_stamp(key, at->page, at->word, first))
			return true;
	return false;
}

bool __gmem_guest_shared_seen(struct gmem_guest_shared *shared, const u64 *va, size_t page,
			      u16 generation, bool zeros, struct gmem_mismatch *bad)
{
	bad->page = page;
	for (bad->word = 0; bad->word < shared->words; bad->word += shared->step) {
		bad->got = READ_ONCE(va[bad->word]);
		if (!bad->got && zeros)
			continue;
		/* The word is read before the generation, which is then an upper bound for it. */
		smp_rmb();
		if (!is_between(bad, shared->key, bad->got, generation,
				READ_ONCE(shared->generation[page]))) {
			bad->want = gmem_stamp(shared->key, page, bad->word, generation);
			return false;
		}
	}
	return true;
}

bool __gmem_guest_shared_check(const struct gmem_guest_shared *shared, const void *va,
			       size_t page, struct gmem_mismatch *bad)
{
	return gmem_check_page(va, shared->words, shared->step, shared->key, page,
			       shared->generation[page], bad);
}
