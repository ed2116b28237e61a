#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the benchmark in a machine with the reference kernel, and prints its table.
# Nothing is judged: an emulated machine's rates are worth their ratios.
# Usage: lab/bench.sh	(make bench)

set -euo pipefail
# shellcheck source=common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"
. "$GMEM_LAB/children.sh"
. "$GMEM_LAB/machine.sh"
. "$GMEM_LAB/scenario-files.sh"

readonly RESULTS=$GMEM_ROOT/results

# The largest region and its control have to fit into either node.
write_scenario()
{
	scenario_text reference
	printf '%s = %s\n' arch "$(host_arch)" seed 1 jobs "$(nproc)" bench 1 timeout 2400 \
		memory 8G node-memory 4G
}

main()
{
	(($# == 0)) || die "usage: lab/bench.sh"
	run_child "$GMEM_LAB/packages.sh"
	RUN_DIR=$RESULTS/bench-$(date +%Y%m%d-%H%M%S)
	mkdir -p "$RUN_DIR"
	write_scenario > "$RUN_DIR/scenario"
	: > "$RUN_DIR/plan"
	run_child "$GMEM_LAB/scenario.sh" prepare "$RUN_DIR"
	run_child "$GMEM_LAB/scenario.sh" boot "$RUN_DIR"
	grep '^# gmem-lab: done exit=0' "$RUN_DIR/ktap.log" > /dev/null ||
		die "the benchmark did not finish; see $RUN_DIR"
	grep --invert-match '^#' "$RUN_DIR/ktap.log"
}

main "$@"
