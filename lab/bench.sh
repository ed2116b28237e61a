#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the benchmark in a machine with the reference kernel, and prints its table.
# Nothing is judged: the rates of an emulated machine are good for comparison only.
# Usage: lab/bench.sh [--mib MIB] [--results DIR]	(make bench [MIB=4] [RESULTS=DIR])
#
# MIB is the size of the largest region, 1024 by default.  DIR is the directory for the
# run's own one, results by default.

set -euo pipefail
# shellcheck source=common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"
. "$GMEM_LAB/children.sh"
. "$GMEM_LAB/machine.sh"
. "$GMEM_LAB/scenario-files.sh"

readonly LARGEST=1024

# Each node has to hold the largest region and its control.
write_scenario()
{
	scenario_text reference
	printf '%s = %s\n' arch "$(host_arch)" seed 1 jobs "$(nproc)" bench 1 timeout 2400 \
		append "GMEM_BENCH_MIB=$MIB"
	# The machine's own memory is enough for a small benchmark.
	((MIB <= 64)) || printf '%s = %s\n' memory 8G node-memory 4G
}

# QEMU says itself why it did not start; a kernel's last words are on the console.
reason()
{
	local -r sentence=$(head --lines=1 "$RUN_DIR/qemu.err")

	if [[ -n $sentence ]]; then
		echo "$sentence"
	elif grep --quiet '^# gmem-lab: start' "$RUN_DIR/ktap.log"; then
		tail --lines=1 "$RUN_DIR/ktap.log"
	else
		tail --lines=1 "$RUN_DIR/console.log"
	fi
}

parse_options()
{
	MIB=$LARGEST RESULTS=$GMEM_ROOT/results
	while (($# > 0)); do
		[[ $1 == --mib || $1 == --results ]] ||
			die "unknown option '$1'; usage: lab/bench.sh [--mib MIB] [--results DIR]"
		[[ -n ${2:-} ]] || die "$1 needs a value"
		case $1 in
		--mib) MIB=$2 ;;
		--results) RESULTS=$2 ;;
		esac
		shift 2
	done
	[[ $MIB =~ ^[1-9][0-9]{0,3}$ && $MIB -le $LARGEST ]] ||
		die "--mib wants a number from 1 to $LARGEST, not '$MIB'"
}

main()
{
	parse_options "$@"
	run_child "$GMEM_LAB/packages.sh"
	RUN_DIR=$RESULTS/bench-$(date +%Y%m%d-%H%M%S)
	mkdir -p "$RUN_DIR" 2> /dev/null || die "--results '$RESULTS' cannot be written to"
	write_scenario > "$RUN_DIR/scenario"
	: > "$RUN_DIR/plan"
	run_child "$GMEM_LAB/scenario.sh" prepare "$RUN_DIR"
	[[ ! -e $RUN_DIR/not-run ]] || die "nothing was measured: $(< "$RUN_DIR/not-run")"
	run_child "$GMEM_LAB/scenario.sh" boot "$RUN_DIR"
	grep '^# gmem-lab: done exit=0' "$RUN_DIR/ktap.log" > /dev/null ||
		die "the benchmark did not finish: $(reason); see $RUN_DIR"
	grep --invert-match '^#' "$RUN_DIR/ktap.log"
}

main "$@"
