# SPDX-License-Identifier: GPL-2.0-only
#
# guest_memfd migration selftests, and the only list of its tests.
#
# In a kernel tree (see "make dropin"):
#	make -C tools/testing/selftests TARGETS=guest_memfd [O=...] run_tests
# From anywhere else, against a kernel tree that has its headers installed
# ("make headers") or with KHDR_INCLUDES pointing at them:
#	make KSRC=/path/to/linux [OUTPUT=...] [INSTALL_PATH=...] all|install
# GMEM_MIGRATABLE_BIT=N tells the tests which bit GUEST_MEMFD_FLAG_MIGRATABLE is,
# where the tree's headers do not.
# The targets of the project itself, such as "make check", are in project.mk.

TESTS += guest_memfd_migrate/accounting_test
TESTS += guest_memfd_migrate/allocation_test
TESTS += guest_memfd_migrate/cma_use_test
TESTS += guest_memfd_migrate/contents_test
TESTS += guest_memfd_migrate/destination_test
TESTS += guest_memfd_migrate/host_mapping_test
TESTS += guest_memfd_migrate/migrate_status_test
TESTS += guest_memfd_migrate/page_flags_test
TESTS += guest_memfd_migrate/page_states_test
TESTS += guest_memfd_migrate/pinned_test
TESTS += guest_memfd_migrate/prefault_test
TESTS += guest_memfd_migrate/punch_hole_race_test
TESTS += guest_memfd_migrate/slot_churn_test
TESTS += guest_memfd_migrate/slots_test
TESTS += guest_memfd_migrate/stage2_fault_test
TESTS += guest_memfd_migrate/stale_access_test
TESTS += guest_memfd_migrate/target_full_test
TESTS += guest_memfd_migrate/unbound_test
TESTS += guest_memfd_migrate/vm_teardown_test
TESTS += guest_memfd_pin/flags_test
TESTS += guest_memfd_pin/mechanism_test
TESTS += guest_memfd_pin/never_bound_test
TESTS += guest_memfd_pin/never_in_movable_zone_test
TESTS += guest_memfd_pin/stays_put_test
TESTS += compaction_stress/cma_test
TESTS += compaction_stress/gigantic_test
TESTS += compaction_stress/high_order_test
TESTS += compaction_stress/under_pressure_test
TESTS += compaction_stress/unevictable_test
TESTS += memory_offline/block_offline_test
TESTS += memory_offline/dimm_unplug_test
TESTS += memory_offline/hard_offline_test
TESTS += memory_offline/normal_zone_test
TESTS += memory_offline/soft_offline_test
TESTS += memory_offline/virtio_mem_test

# Benchmarks are built and installed beside the tests; only "make bench" runs them.
BENCHES += guest_memfd_migrate/moves_bench

# Upstream's own tests of guest_memfd run beside ours and are reported apart.
UPSTREAM_TESTS += guest_memfd_test
UPSTREAM_TESTS += $(UPSTREAM_TESTS_$(KVM_ARCH))
UPSTREAM_TESTS += set_memory_region_test

UPSTREAM_TESTS_x86 += pre_fault_memory_test

TEST_DIRS := $(sort $(patsubst %/,%,$(dir $(TESTS))))

# Goals that compile nothing.
LIST_GOALS := list list-upstream

-include project.mk

ifneq ($(KSRC),)
KSFT_ROOT := $(abspath $(KSRC))/tools/testing/selftests
ifeq ($(wildcard $(KSFT_ROOT)/lib.mk),)
$(error KSRC=$(KSRC) is not a kernel tree: it has no tools/testing/selftests/lib.mk)
endif
else ifneq ($(wildcard ../lib.mk),)
KSFT_ROOT := $(abspath ..)
endif

ARCH ?= $(shell uname -m)
KVM_ARCH := $(patsubst aarch64,arm64,$(patsubst x86_64,x86,$(ARCH)))

ifeq ($(KSFT_ROOT),)
all install run_tests upstream upstream-install clean:
	@echo "Set KSRC= to a kernel tree, or put the suite into one: make dropin KSRC=..." >&2
	@exit 2
else ifeq ($(filter x86 arm64,$(KVM_ARCH)),)
# KVM has shared guest_memfd on x86 and arm64 only, so that elsewhere there is nothing to
# build.
all install run_tests upstream upstream-install clean:
else
include lib/build.mk
endif

list:
	@printf '%s\n' $(notdir $(TESTS))

list-upstream:
	@printf '%s\n' $(UPSTREAM_TESTS)

.DEFAULT_GOAL := all
.PHONY: $(LIST_GOALS)
