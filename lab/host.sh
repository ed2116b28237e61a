#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the installed tests on the machine that runs the lab, and leaves in RUN_DIR what
# lab/boot.sh leaves there of a virtual machine.
# Usage: lab/host.sh [--dry-run] RUN_DIR TESTS_DIR
#
# The tests move and offline the machine's memory, so run_all.sh asks for consent first.

set -euo pipefail
# shellcheck source=common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"
. "$GMEM_LAB/run-dir.sh"
. "$GMEM_LAB/progress.sh"

host_command()
{
	local -r expect=$(setting expect) profile=$(setting profile)
	local program

	# The scenario alone says what this run expects, and not what the caller's shell exports.
	COMMAND=(env --unset=GMEM_EXPECT --unset=GMEM_PROFILE "GMEM_SEED=$(setting seed)")
	[[ -z $expect || $expect == auto ]] || COMMAND+=("GMEM_EXPECT=$expect")
	[[ -z $profile ]] || COMMAND+=("GMEM_PROFILE=$profile")
	COMMAND+=("$TESTS/run_kselftest.sh")
	case $profile in
	full) COMMAND+=(--override-timeout 3600) ;;
	soak) COMMAND+=(--override-timeout 100000000) ;;
	esac
	while IFS= read -r program; do
		COMMAND+=(-t "$program")
	done < "$RUN_DIR/plan"
}

# The output is a pipe, because the runner opens /dev/stdout again for every test, and in a
# file two offsets would overwrite each other's lines.
run_tests()
{
	local status=0

	echo "# gmem-lab: start"
	{ "${COMMAND[@]}" 2>&1 || status=$?; echo "# gmem-lab: done exit=$status"; } | cat
}

# Runs the tests.  There is no console here, so the kernel log since our marker takes its
# place.
run_marked()
{
	local -r marker="gmem-lab: run $$ $RANDOM$RANDOM"

	echo "$marker" > /dev/kmsg
	run_logged "running the tests on this machine, programs" "$RUN_DIR/ktap.log" \
		count_results run_tests || :
	dmesg | sed -n "/$marker/,\$p" > "$RUN_DIR/console.log"
	# A log that overflowed has lost the marker, and then all that is left counts.
	[[ -s $RUN_DIR/console.log ]] || dmesg > "$RUN_DIR/console.log"
}

main()
{
	local dry_run=false

	[[ ${1:-} != --dry-run ]] || { dry_run=true; shift; }
	(($# == 2)) || die "usage: lab/host.sh [--dry-run] RUN_DIR TESTS_DIR"
	RUN_DIR=$(realpath "$1")
	readonly RUN_DIR TESTS=$2
	host_command
	if $dry_run; then
		echo "${COMMAND[*]@Q}"
		return
	fi
	echo "${COMMAND[*]@Q}" > "$RUN_DIR/qemu-cmd"
	run_marked
	# The judge expects an exit status of QEMU, and without QEMU nothing can have failed.
	echo 0 > "$RUN_DIR/qemu.exit"
}

main "$@"
