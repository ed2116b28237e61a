/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The variants of a test: the configurations and triggers that it runs with.
 *
 *	GMEM_CONFIG_VARIANT(prefault, optin_mmap_shared)
 *	GMEM_TRIGGER_VARIANT(unbound, optin_mmap_shared, move_pages)
 *	GMEM_MOVABLE_VARIANTS(contents)
 *
 * A variant is named after its parts: default_optin_mmap_shared_move_pages.
 */
#ifndef GMEM_VARIANT_H
#define GMEM_VARIANT_H

#include "trigger/gmem_trigger.h"
#include "vm/gmem_config.h"

/* Adds the variant @_variant of @_config; the other arguments initialize further members. */
#define GMEM_VARIANT(_fixture, _variant, _config, ...) \
FIXTURE_VARIANT_ADD(_fixture, _variant) { \
	.config = _config, \
	__VA_ARGS__ \
};

/*
 * Each of these adds one variant.  The VM type is the default one, or @_type.  The first two have
 * no trigger.
 */
#define GMEM_CONFIG_VARIANT(_fixture, _config) \
	GMEM_VARIANT(_fixture, _config, GMEM_CONFIG(default, _config))
#define GMEM_TYPE_VARIANT(_fixture, _type, _config) \
	GMEM_VARIANT(_fixture, _type##_##_config, GMEM_CONFIG(_type, _config))
#define GMEM_TRIGGER_VARIANT(_fixture, _config, _trigger) \
	GMEM_VARIANT(_fixture, _config##_##_trigger, GMEM_CONFIG(default, _config), \
		     .trigger = &gmem_trigger_##_trigger)
#define GMEM_TYPE_TRIGGER_VARIANT(_fixture, _type, _config, _trigger) \
	GMEM_VARIANT(_fixture, _type##_##_config##_##_trigger, GMEM_CONFIG(_type, _config), \
		     .trigger = &gmem_trigger_##_trigger)

/*
 * Memory that the host maps is tested with every trigger; one trigger suffices for the other
 * configurations.
 */
#define GMEM_OPTIN_VARIANTS(_fixture) \
	GMEM_TYPE_TRIGGER_VARIANT(_fixture, default, optin, compact_memory) \
	GMEM_TYPE_TRIGGER_VARIANT(_fixture, default, optin_mmap, compact_memory) \
	GMEM_TYPE_TRIGGER_VARIANT(_fixture, default, optin_shared, compact_memory) \
	GMEM_TRIGGERS_BY_COMPACTION(GMEM_TYPE_TRIGGER_VARIANT, _fixture, default, \
				    optin_mmap_shared) \
	GMEM_TRIGGERS_BY_ADDRESS(GMEM_TYPE_TRIGGER_VARIANT, _fixture, default, \
				 optin_mmap_shared) \
	GMEM_TRIGGERS_OF_ALIASED(GMEM_TYPE_TRIGGER_VARIANT, _fixture, default, \
				 optin_mmap_shared_alias)

#define GMEM_PLAIN_VARIANTS(_fixture) \
	GMEM_TYPE_TRIGGER_VARIANT(_fixture, default, none, compact_memory) \
	GMEM_TYPE_TRIGGER_VARIANT(_fixture, default, mmap, compact_memory) \
	GMEM_TYPE_TRIGGER_VARIANT(_fixture, default, shared, compact_memory) \
	GMEM_TRIGGERS_BY_COMPACTION(GMEM_TYPE_TRIGGER_VARIANT, _fixture, default, mmap_shared) \
	GMEM_TRIGGERS_BY_ADDRESS(GMEM_TYPE_TRIGGER_VARIANT, _fixture, default, mmap_shared) \
	GMEM_TRIGGERS_OF_ALIASED(GMEM_TYPE_TRIGGER_VARIANT, _fixture, default, \
				 mmap_shared_alias)

/* VM types with private memory refuse INIT_SHARED and the flag that opts in. */
#define GMEM_PRIVATE_VARIANTS(_fixture) \
	GMEM_TYPE_TRIGGER_VARIANT(_fixture, sw_protected, none, compact_memory) \
	GMEM_TYPE_TRIGGER_VARIANT(_fixture, sw_protected, mmap, compact_memory)

/* Each of these configurations is movable under at least one expectation. */
#define GMEM_MOVABLE_VARIANTS(_fixture) \
	GMEM_OPTIN_VARIANTS(_fixture) \
	GMEM_PLAIN_VARIANTS(_fixture)

/* Each of these configurations is unmovable under at least one expectation. */
#define GMEM_UNMOVABLE_VARIANTS(_fixture) \
	GMEM_PLAIN_VARIANTS(_fixture) \
	GMEM_PRIVATE_VARIANTS(_fixture) \
	GMEM_OPTIN_VARIANTS(_fixture)

#endif /* GMEM_VARIANT_H */
