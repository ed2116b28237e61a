# SPDX-License-Identifier: GPL-2.0-only
#
# Run inside a kernel tree's tools/testing/selftests/kvm: builds its library and
# chosen tests by its own object lists, with every output under OUTPUT.  The
# tree exports no libkvm.mk, so its whole Makefile is read and asked for less.

include Makefile

gmem-libkvm: $(OUTPUT)/libkvm.a

# "ar r" would keep members that a newer tree no longer has.
$(OUTPUT)/libkvm.a: $(LIBKVM_OBJS)
	$(RM) $@
	$(CROSS_COMPILE)ar rcs $@ $^

gmem-upstream: $(addprefix $(OUTPUT)/,$(UPSTREAM_TESTS))

.PHONY: gmem-libkvm gmem-upstream
