# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Children that do not outlive their parent, whichever way it ends.
# Usage: . "$GMEM_LAB/children.sh"; run_child COMMAND...
#
# A child leads a process group of its own, so that a signal reaches all of the group, and
# the kernel kills the child when this script is killed.  A child that is a shell function
# is not killed: it is short, goes on, and keeps the lock until it is done.

# The child's process ID, or nothing.
CHILD=

# CHILD_DIES_BY is the signal that the child gets when this script is killed.
start_child()
{
	set -m
	if declare -F "$1" > /dev/null; then
		"$@" < /dev/null &
	else
		setpriv --pdeathsig "${CHILD_DIES_BY:-TERM}" -- "$@" < /dev/null &
	fi
	CHILD=$!
	set +m
}

stop_child()
{
	[[ -n $CHILD ]] || return 0
	kill -TERM -- "-$CHILD" 2> /dev/null || :
	wait "$CHILD" 2> /dev/null || :
	CHILD=
}

# Ends the script with STATUS once the child has ended.
stopped()
{
	trap '' HUP INT TERM
	stop_child
	exit "$1"
}
trap 'stopped 129' HUP
trap 'stopped 130' INT
trap 'stopped 143' TERM

# Runs a command that a signal to this script stops, and returns the exit status.
run_child()
{
	local status=0

	start_child "$@"
	wait "$CHILD" || status=$?
	CHILD=
	return "$status"
}
