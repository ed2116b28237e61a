# SPDX-License-Identifier: GPL-2.0-only
#
# make reads this file inside a kernel tree's tools/testing/selftests/kvm.  It builds the
# tree's library and chosen tests by the tree's own object lists, with every output under
# OUTPUT.  The tree exports no libkvm.mk, so this file includes the whole Makefile and adds
# targets that need only a part of it.

include Makefile

gmem-libkvm: $(OUTPUT)/libkvm.a

# The archive is created from scratch, because "ar r" keeps members that a newer tree no
# longer has.
$(OUTPUT)/libkvm.a: $(LIBKVM_OBJS)
	$(RM) $@
	$(CROSS_COMPILE)ar rcs $@ $^

gmem-upstream: $(addprefix $(OUTPUT)/,$(UPSTREAM_TESTS))

.PHONY: gmem-libkvm gmem-upstream
