// SPDX-License-Identifier: GPL-2.0-only
/* The board: what guest and host share, and what the guest does by it. */
#include <linux/sizes.h>
#include <sys/mman.h>

#include <asm/barrier.h>

#include "kvm_util.h"
#include "ucall_common.h"

#include "gmem_board.h"
#include "gmem_case.h"
#include "gmem_guest.h"
#include "gmem_pattern.h"
#include "gmem_region.h"
#include "gmem_supervisor.h"

#define BOARD_GPA	SZ_4G
#define BOARD_SLOT	1

/* One page: check what it holds, or not, and write the next generation if told to. */
static bool guest_page(struct gmem_board *board, __u64 page, __u32 work)
{
	__u64 *va = (void *)(board->gva + page * board->words * sizeof(__u64));
	__u16 generation = READ_ONCE(board->generation[page]);

	if (work != GMEM_GUEST_OVERWRITE &&
	    !gmem_page_check(va, board->words, board->step, board->key, page, generation,
			     &board->bad)) {
		WRITE_ONCE(board->mismatched, 1);
		return false;
	}
	if (work == GMEM_GUEST_WRITE || work == GMEM_GUEST_OVERWRITE) {
		generation = gmem_next_generation(generation);
		gmem_page_stamp(va, board->words, board->step, board->key, page, generation);
		/* Who sees the generation sees all that was written for it. */
		smp_wmb();
		WRITE_ONCE(board->generation[page], generation);
	}
	WRITE_ONCE(board->progress, board->progress + 1);
	return true;
}

static void guest_work(struct gmem_board *board)
{
	__u32 work = READ_ONCE(board->work);

	do {
		for (__u64 i = 0; i < board->count; i++) {
			/* A first pass is worth nothing in part. */
			if (READ_ONCE(board->stop) && board->passed)
				return;
			if (!guest_page(board, board->first + i, work))
				return;
		}
		board->passed = 1;
	} while (work != GMEM_GUEST_CHECK && !READ_ONCE(board->stop));
}

void gmem_guest_code(void)
{
	struct gmem_board *board = (struct gmem_board *)BOARD_GPA;

	for (;;) {
		guest_work(board);
		GUEST_SYNC(0);
	}
}

static size_t board_size(size_t npages)
{
	return sizeof(struct gmem_board) + npages * sizeof(__u16);
}

size_t gmem_guest_pages(size_t npages)
{
	return board_size(npages) / MIN_PAGE_SIZE + 1;
}

struct gmem_board *gmem_board_create(struct gmem_region *region)
{
	struct kvm_vm *vm = region->vm;
	size_t size = align_up(board_size(region->npages), region->page_size);
	struct gmem_board *board;

	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, BOARD_GPA, BOARD_SLOT,
				    vm_adjust_num_guest_pages(vm->mode, size / vm->page_size), 0);
	virt_map(vm, BOARD_GPA, BOARD_GPA, size / vm->page_size);
	board = addr_gpa2hva(vm, BOARD_GPA);
	board->gva = region->gpa;
	board->words = region->page_size / sizeof(__u64);
	board->step = GMEM_EVERY_WORD;
	board->key = gmem_pattern_key(gmem_seed());
	return board;
}

void gmem_board_write_on_host(struct gmem_board *board, struct gmem_region *region, size_t first,
			      size_t count)
{
	gmem_busy(GMEM_C3, "the host writes guest_memfd");
	for (size_t page = first; page < first + count; page++) {
		board->generation[page] = gmem_next_generation(board->generation[page]);
		gmem_page_stamp(gmem_region_host(region, page), board->words, board->step,
				board->key, page, board->generation[page]);
	}
	gmem_idle();
}

/* True if @got is the stamp of a generation from @first to the one after @last. */
static bool is_between(const struct gmem_mismatch *at, __u64 key, __u64 got, __u16 first,
		       __u16 last)
{
	__u16 end = gmem_next_generation(gmem_next_generation(last));

	for (; first != end; first = gmem_next_generation(first))
		if (got == gmem_stamp(key, at->page, at->word, first))
			return true;
	return false;
}

bool __gmem_board_seen(struct gmem_board *board, const __u64 *va, size_t page, __u16 generation,
		       bool zeros, struct gmem_mismatch *bad)
{
	bad->page = page;
	for (bad->word = 0; bad->word < board->words; bad->word += board->step) {
		bad->got = READ_ONCE(va[bad->word]);
		if (!bad->got && zeros)
			continue;
		/* The word was read before the generation that it cannot be beyond. */
		smp_rmb();
		if (!is_between(bad, board->key, bad->got, generation,
				READ_ONCE(board->generation[page]))) {
			bad->want = gmem_stamp(board->key, page, bad->word, generation);
			return false;
		}
	}
	return true;
}

bool __gmem_board_check(const struct gmem_board *board, const void *va, size_t page,
			struct gmem_mismatch *bad)
{
	return gmem_page_check(va, board->words, board->step, board->key, page,
			       board->generation[page], bad);
}
