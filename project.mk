# SPDX-License-Identifier: GPL-2.0-only
#
# Targets of the project, which need what a kernel tree's copy does not have:
#	make check		test the tester, then run every test in virtual machines
#	make bench [MIB=N]	measure moves, of regions of at most N MiB
#	make docs		write docs/contract.md
#	make dropin KSRC=...	copy the suite into a kernel tree; dropin-remove undoes it

# What the copy consists of.  It does not include this file.
DROPIN_FILES := Makefile .gitignore config config.aarch64 config.x86_64 settings
DROPIN_DIRS  := lib $(TEST_DIRS)

check:
	@selftest/run

bench:
	@lab/bench.sh $(if $(MIB),--mib $(MIB)) $(if $(RESULTS),--results $(RESULTS))

docs:
	@docs/generate

dropin dropin-remove:
	@lab/dropin.sh $@ "$(KSRC)" "$(DROPIN_FILES) $(DROPIN_DIRS)"

PROJECT_GOALS := check bench docs dropin dropin-remove
.PHONY: $(PROJECT_GOALS)
