/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Triggers: every way in which this suite asks the kernel to move a folio, and every
 * mechanism that must never move one of guest_memfd.
 *
 * A trigger is one row of data, and gmem_trigger_list.h lists the rows: a new row becomes a
 * variant of every test that takes its list.  Tests fire triggers through gmem_migration.h,
 * which compares pfns, and never believes a return value.
 */
#ifndef GMEM_TRIGGER_H
#define GMEM_TRIGGER_H

#include <stdbool.h>
#include <stddef.h>

#include "case/gmem_result.h"
#include "trigger/gmem_trigger_list.h"

struct gmem_migration;

struct gmem_trigger {
	const char *name;
	/* It takes addresses, so that it reaches only memory that the host maps. */
	bool by_address;
	/* How many firings are enough for a test. */
	unsigned int rounds;
	/*
	 * It tells MMU notifiers that all addresses change.  Any VM may then lose any stage-2
	 * mapping, and an unmapping does not show that a page was about to move.
	 */
	bool notifies_all;
	/* Returns why it cannot fire on this kernel and machine; NULL: it always can. */
	enum gmem_skip_reason (*missing)(void);
	/*
	 * Allocates region and control where it has reason to move them; NULL: it moves them from
	 * anywhere, and they are allocated on the first node.
	 */
	void (*allocate)(struct gmem_migration *migration);
	/* Fires once, and returns when the kernel has finished. */
	void (*fire)(struct gmem_migration *migration);
	/*
	 * Returns how many pages of the control it has acted upon since it was last asked,
	 * without moving them; NULL: it only moves pages.
	 */
	size_t (*acted_upon)(struct gmem_migration *migration);
	/* Frees what it keeps in migration->private; NULL: it keeps nothing. */
	void (*cleanup)(struct gmem_migration *migration);
};

#define GMEM_DECLARE_TRIGGER(_storage, _name) \
	_storage const struct gmem_trigger gmem_trigger_##_name;
GMEM_FOR_EACH_TRIGGER(GMEM_DECLARE_TRIGGER, extern)

#endif /* GMEM_TRIGGER_H */
