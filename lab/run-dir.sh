# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The directory of a run: what its scenario says, and how far its log has come.
# Usage: RUN_DIR=DIRECTORY; . "$GMEM_LAB/run-dir.sh", after common.sh

. "$GMEM_LAB/data.sh"

setting()
{
	data_get "$RUN_DIR/scenario" "$1"
}

# Prints how many programs have ended, and how many there are.
count_results()
{
	local -r all=$(wc --lines < "$RUN_DIR/plan")
	local -r done=$(grep --count --text --extended-regexp \
		'^(not )?ok [0-9]+ selftests: ' "$RUN_DIR/ktap.log")

	echo "${done:-0} $all"
}
