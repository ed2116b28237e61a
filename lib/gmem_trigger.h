/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Triggers: every way this suite asks the kernel to move a folio.
 *
 * A trigger is one row of data; a new row is a new variant of every test that
 * takes it.  Tests fire triggers through a scene (gmem_scene.h), which counts
 * what moved by frames, never by a return value.
 */
#ifndef GMEM_TRIGGER_H
#define GMEM_TRIGGER_H

#include <stdbool.h>

#include "gmem_case.h"

struct gmem_scene;

struct gmem_trigger {
	const char *name;
	/* Acts on addresses: reaches only what the host maps. */
	bool by_address;
	/* How often a test should fire it to have seen enough. */
	unsigned int rounds;
	/* Tells MMU notifiers that all addresses change: any VM may lose any stage-2
	 * mapping over it, which is all there is to see.
	 */
	bool notifies_all;
	/* GMEM_SKIP_none if it can fire on this kernel and machine; NULL: it always can. */
	enum gmem_skip (*missing)(void);
	/* Allocates the scene's memory where the trigger has reason to move it;
	 * NULL: anywhere.
	 */
	void (*place)(struct gmem_scene *scene);
	/* Fires once; returns when the kernel has done what it will do. */
	void (*fire)(struct gmem_scene *scene);
};

extern const struct gmem_trigger gmem_trigger_move_pages;
extern const struct gmem_trigger gmem_trigger_move_pages_all;
extern const struct gmem_trigger gmem_trigger_move_pages_by_other;
extern const struct gmem_trigger gmem_trigger_mbind;
extern const struct gmem_trigger gmem_trigger_migrate_pages;
extern const struct gmem_trigger gmem_trigger_cpuset;
extern const struct gmem_trigger gmem_trigger_compact_memory;
extern const struct gmem_trigger gmem_trigger_compact_node;
extern const struct gmem_trigger gmem_trigger_hugetlb;
extern const struct gmem_trigger gmem_trigger_thp;
extern const struct gmem_trigger gmem_trigger_proactive;
extern const struct gmem_trigger gmem_trigger_longterm_pin;

#endif /* GMEM_TRIGGER_H */
