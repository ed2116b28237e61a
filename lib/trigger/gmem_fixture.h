/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fixture that nearly every test has: a region, a migration that moves it, and a guest.
 *
 *	GMEM_FIXTURE(contents)
 *	GMEM_MOVABLE_VARIANTS(contents)
 *
 *	TEST_F_TIMEOUT(contents, survive, GMEM_CASE_TIMEOUT)
 *	{
 *		GMEM_CASE_BEGIN();
 *		gmem_require_movable(&variant->config);
 *		self->region = gmem_region_create(&variant->config, NPAGES);
 *		self->migration = gmem_migration_create(variant->trigger, self->region);
 *
 * A test sets the members that it needs.  The teardown frees them after a case has passed;
 * a case that ends in any other way leaves that to the end of its process.
 */
#ifndef GMEM_FIXTURE_H
#define GMEM_FIXTURE_H

#include "case/gmem_case.h"
#include "mm/gmem_anon.h"
#include "observe/gmem_unmap_probe.h"
#include "trigger/gmem_migration.h"
#include "trigger/gmem_variant.h"
#include "vm/gmem_expect.h"
#include "vm/gmem_guest.h"
#include "vm/gmem_region_create.h"

/* Defines fixture, variant, set-up and teardown of the tests @_name for the harness. */
#define GMEM_FIXTURE(_name) GMEM_FIXTURE_WITH(_name, GMEM_MEMBERS(), GMEM_MEMBERS())

/* Also adds @_members to the fixture and @_variant_members to its variants; both may be empty. */
#define GMEM_FIXTURE_WITH(_name, _members, _variant_members) \
GMEM_FIXTURE_OF(_name, GMEM_MEMBERS( \
	struct gmem_region *region; \
	struct gmem_anon *control; \
	struct gmem_migration *migration; \
	struct gmem_unmap_probe *probe; \
	struct gmem_guest *guest; \
	_members \
), GMEM_MEMBERS( \
	struct gmem_config config; \
	const struct gmem_trigger *trigger; \
	_variant_members \
), GMEM_MEMBERS( \
	gmem_guest_free(self->guest); \
	gmem_unmap_probe_free(self->probe); \
	gmem_migration_free(self->migration); \
	gmem_anon_free(self->control); \
	gmem_region_free(self->region) \
))

#endif /* GMEM_FIXTURE_H */
