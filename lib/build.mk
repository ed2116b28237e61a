# SPDX-License-Identifier: GPL-2.0-only
#
# This builds the tests on top of the kernel tree's lib.mk.  Each is one binary of its own
# source, libgmem (the .c files below this directory) and the tree's libkvm.

KVM_DIR := $(KSFT_ROOT)/kvm
TOOLS_DIR := $(abspath $(KSFT_ROOT)/../..)

# A build from outside a kernel tree writes nothing beside the sources, nor into KSRC.
ifneq ($(KSRC),)
ifeq ($(OUTPUT),)
OUTPUT := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/guest_memfd-selftests/build-$(shell echo $(KSFT_ROOT) | cksum | cut -d' ' -f1)
endif
override OUTPUT := $(abspath $(OUTPUT))
endif

LOCAL_HDRS := $(wildcard lib/*/*.h)
TEST_GEN_PROGS := $(TESTS)
TEST_GEN_PROGS_EXTENDED := $(BENCHES)
TEST_FILES := settings

include $(KSFT_ROOT)/lib.mk

# The tests use KVM's newest interface.  The tree's own headers have it, while the system's
# may lack it.
ifeq ($(filter clean emit_tests list list-upstream dropin dropin-remove check bench docs,$(MAKECMDGOALS)),)
ifeq ($(wildcard $(addsuffix /linux/kvm.h,$(filter-out -isystem,$(KHDR_INCLUDES)))),)
$(error no kernel headers in "$(KHDR_INCLUDES)": run "make headers" in the kernel tree, or set KHDR_INCLUDES)
endif
endif

# Guest code is part of the test's binary and runs without a C library.  The flags are
# therefore those of the KVM selftests, whose guest code does the same.
CFLAGS += -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare \
	-Wno-missing-field-initializers -Wstrict-prototypes -O2 -g -std=gnu11 \
	-DCONFIG_64BIT -U_FORTIFY_SOURCE -fno-builtin-memcmp -fno-builtin-memcpy \
	-fno-builtin-memset -fno-builtin-strnlen -fno-stack-protector -fno-PIE \
	-fno-strict-aliasing -MMD -MP \
	-I$(TOOLS_DIR)/include -I$(TOOLS_DIR)/arch/$(KVM_ARCH)/include \
	-I$(KVM_DIR)/include -I$(KVM_DIR)/include/$(KVM_ARCH) -Ilib $(KHDR_INCLUDES)
ifeq ($(KVM_ARCH),x86)
CFLAGS += -march=x86-64-v2
endif
ifeq ($(KVM_ARCH),arm64)
CFLAGS += -I$(OUTPUT)/libkvm/tools/arch/arm64/include/generated
endif
# GMEM_MIGRATABLE_BIT says which bit the flag is that opts in to migration, because the
# kernel's headers may lack the flag.
ifneq ($(strip $(GMEM_MIGRATABLE_BIT)),)
ifneq ($(words $(GMEM_MIGRATABLE_BIT)) $(words $(filter $(shell seq 0 63),$(GMEM_MIGRATABLE_BIT))),1 1)
$(error GMEM_MIGRATABLE_BIT=$(GMEM_MIGRATABLE_BIT) is not the number of a bit, from 0 to 63)
endif
CFLAGS += -DGMEM_MIGRATABLE_BIT=$(strip $(GMEM_MIGRATABLE_BIT))
endif
LDFLAGS += -no-pie -pthread
LDLIBS += -lnuma -ldl

LIBGMEM_OBJS := $(patsubst %.c,$(OUTPUT)/%.o,$(wildcard lib/*/*.c))
LIBKVM := $(OUTPUT)/libkvm/libkvm.a

$(shell mkdir -p $(sort $(dir $(LIBGMEM_OBJS))) $(OUTPUT)/libkvm/tools $(sort $(dir $(TEST_GEN_PROGS))))

# This file changes with GMEM_MIGRATABLE_BIT, so that a build with another bit is not taken for
# up to date.
MIGRATABLE_BIT := $(OUTPUT)/lib/migratable-bit
$(shell echo "bit $(strip $(GMEM_MIGRATABLE_BIT))" | cmp -s - $(MIGRATABLE_BIT) || \
	echo "bit $(strip $(GMEM_MIGRATABLE_BIT))" > $(MIGRATABLE_BIT))
$(OUTPUT)/lib/vm/gmem_config.o: $(MIGRATABLE_BIT)

$(TEST_GEN_PROGS) $(TEST_GEN_PROGS_EXTENDED): $(LIBGMEM_OBJS) $(LIBKVM)

$(LIBGMEM_OBJS): $(OUTPUT)/lib/%.o: lib/%.c $(LOCAL_HDRS) lib/build.mk | $(LIBKVM)
	$(call msg,CC,,$@)
	$(Q)$(CC) $(CFLAGS) $(CPPFLAGS) -c $< -o $@

# The tree's own Makefile builds the KVM selftest library and upstream's tests, by its own
# object lists and rules.  It knows what is up to date, so FORCE always asks it.
LIBKVM_MAKE = +$(Q)$(MAKE) -s -C $(KVM_DIR) -f $(abspath lib/libkvm.mk) O= \
	ARCH=$(KVM_ARCH) OUTPUT=$(OUTPUT)/libkvm KHDR_INCLUDES="$(KHDR_INCLUDES)" \
	abs_objdir=$(OUTPUT)/libkvm TMPOUT=$(OUTPUT)/libkvm/try USERCFLAGS= USERLDFLAGS=

$(LIBKVM): FORCE
	$(LIBKVM_MAKE) gmem-libkvm

# The library is built first: both builds run the tree's try-run, whose scratch file has a
# fixed name, so that two at a time would overwrite each other's.
upstream: $(LIBKVM) FORCE
	$(LIBKVM_MAKE) UPSTREAM_TESTS="$(UPSTREAM_TESTS)" gmem-upstream

upstream-install: upstream
	$(if $(INSTALL_PATH),,$(error set INSTALL_PATH to use upstream-install))
	$(Q)mkdir -p $(INSTALL_PATH)/../kvm
	$(Q)cp $(addprefix $(OUTPUT)/libkvm/,$(UPSTREAM_TESTS)) $(KVM_DIR)/settings $(INSTALL_PATH)/../kvm/

FORCE:

EXTRA_CLEAN += $(OUTPUT)/lib/*/*.o $(OUTPUT)/lib/*/*.d $(MIGRATABLE_BIT) $(OUTPUT)/libkvm \
	$(addsuffix .d,$(TEST_GEN_PROGS) $(TEST_GEN_PROGS_EXTENDED))

-include $(LIBGMEM_OBJS:.o=.d)

.PHONY: upstream upstream-install
