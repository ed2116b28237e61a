# shellcheck shell=bash disable=SC2034 # names for the scripts that read this
# SPDX-License-Identifier: GPL-2.0-only
#
# What the scripts of the lab share: places, messages, data files, locks,
# children that do not outlive their parent, and progress of long steps.
# Usage: . "${BASH_SOURCE[0]%/*}/common.sh"

set -euo pipefail
export LC_ALL=C

GMEM_ROOT=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd -P)
readonly GMEM_ROOT GMEM_LAB=$GMEM_ROOT/lab
readonly GMEM_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/guest_memfd-selftests

# Messages carry the name of the command that the user typed.
GMEM_PROG=${GMEM_PROG:-${0##*/}}
export GMEM_PROG

say()
{
	printf '%s\n' "$*" >&2
}

# Ends the script with one sentence.  scenario.sh sets GMEM_WHY to learn it.
die()
{
	say "$GMEM_PROG: $*"
	printf '%s\n' "$*" > "${GMEM_WHY:-/dev/null}"
	exit 2
}

# Data files are lines of "key = value"; a key may be repeated.
data_all()
{
	local -r file=$1 key=$2

	sed -n "s/^${key}[[:space:]]*=[[:space:]]*//p" "$file"
}

# The last value counts, so that an override is an appended line.
data_get()
{
	data_all "$@" | tail -n 1
}

# Of the run in RUN_DIR: a value of its scenario, and how many programs are done.
setting()
{
	data_get "$RUN_DIR/scenario" "$1"
}

count_results()
{
	local -r all=$(wc --lines < "$RUN_DIR/plan")
	local -r done=$(grep --count --text --extended-regexp \
		'^(not )?ok [0-9]+ selftests: ' "$RUN_DIR/ktap.log")

	echo "${done:-0} $all"
}

# The lab's name of this machine's own architecture.
host_arch()
{
	uname -m | sed 's/^aarch64$/arm64/'
}

# What compiles for ARCH: CROSS_COMPILE of the user's own has the last word.
set_compiler()
{
	local -r arch=$1

	[[ $arch == "$(host_arch)" || -n ${CROSS_COMPILE:-} ]] ||
		CROSS_COMPILE=$(data_get "$GMEM_LAB/machines/$arch" cross)
	export CROSS_COMPILE=${CROSS_COMPILE:-}
}

hash_of_stdin()
{
	sha256sum | cut -c 1-12
}

# Makes the lock FILE ours until this script and its children have ended: a
# child that survived a killed run keeps the next one waiting, not racing.
lock()
{
	local -r file=$1
	local fd

	mkdir -p "${file%/*}"
	exec {fd}> "$file"
	flock --nonblock "$fd" && return
	say "waiting for another run to finish with ${file##*/}"
	flock "$fd"
}

# Kernels are large: what no run has used for two weeks, or DAYS, is removed.
prune()
{
	local -r used=$1 pattern=$2 days=${3:-14}

	touch "$used"
	find "${used%/*}" -mindepth 1 -maxdepth 1 -name "$pattern" -mtime "+$days" \
		-exec rm -rf '{}' +
}

# Children run in a process group of their own, so that a signal reaches all of
# it, and die with this script even when it is killed.  A child that is a shell
# function, hence a short one, goes on then and keeps the lock until it is done.
CHILD=

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

stopped()
{
	trap '' HUP INT TERM
	stop_child
	exit "$1"
}
trap 'stopped 129' HUP
trap 'stopped 130' INT
trap 'stopped 143' TERM

# Runs a command, lets it be interrupted, and returns its exit status.
run_child()
{
	local status=0

	start_child "$@"
	wait "$CHILD" || status=$?
	CHILD=
	return "$status"
}

# Shows how far LABEL is; a bar on a terminal, a line each 10 s elsewhere, and
# where several things run side by side (GMEM_PLAIN).
# COUNT is "DONE TOTAL", "DONE ~TOTAL" where the total is a guess, "DONE", or "".
HEARTBEAT=0

show_progress()
{
	local -r label=$1 seconds=$2
	local have total guess far='' bar=''

	read -r have total <<< "$3" || :
	guess=${total//[0-9]/}
	total=${total#"~"}
	if ((${total:-0} > 0 && total >= have)); then
		far="$have of ${guess:+about }$total, "
		bar=$(printf '%*s' $((have * 20 / total)) '')
		bar=$(printf '[%-20s] ' "${bar// /#}")
	elif [[ -n $have ]]; then
		far="$have, "
	fi
	if [[ -t 2 && -z ${GMEM_PLAIN:-} ]]; then
		printf '\r\033[K%s: %s%s%s s' "$label" "$bar" "$far" "$seconds" >&2
	elif ((seconds >= HEARTBEAT + 10)); then
		HEARTBEAT=$seconds
		say "  $label: $far$seconds s"
	fi
}

clear_progress()
{
	[[ ! -t 2 || -n ${GMEM_PLAIN:-} ]] || printf '\r\033[K' >&2
}

# Runs a command with its output in LOG and shows progress; COUNTER is a
# function that prints a count for show_progress.  Returns the exit status.
run_logged()
{
	local -r label=$1 log=$2 counter=$3 start=$SECONDS
	local status=0
	shift 3

	HEARTBEAT=0
	start_child "$@" > "$log" 2>&1
	while kill -0 "$CHILD" 2> /dev/null; do
		show_progress "$label" $((SECONDS - start)) "$("$counter")"
		sleep 0.3
	done
	wait "$CHILD" || status=$?
	CHILD=
	clear_progress
	if ((status == 0)); then
		say "$label: done in $((SECONDS - start)) s"
	else
		say "$label: failed after $((SECONDS - start)) s; the end of $log:"
		tail -n 20 "$log" | sed 's/^/    /' >&2
	fi
	return "$status"
}

# Of a build's log: the first line that a compiler or make called an error.
first_error()
{
	local -r log=$1

	grep --max-count=1 --extended-regexp '[ :](fatal )?error:|\*\*\* ' "$log" ||
		echo "see $log"
}

no_count()
{
	:
}
