# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Long steps: a log that keeps what they print, and a display that shows how far they are.
# Usage: . "$GMEM_LAB/progress.sh", after common.sh
#	run_logged "building the kernel" LOG no_count make

. "$GMEM_LAB/children.sh"

# When show_progress() printed its last line, in seconds since the step began.
HEARTBEAT=0

# show_progress LABEL SECONDS COUNT: a bar on a terminal; elsewhere, and where several
# things run side by side (GMEM_PLAIN), a line every 10 seconds.
# COUNT is "DONE TOTAL", "DONE ~TOTAL" where the total is a guess, "DONE", or "".
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

# run_logged LABEL LOG COUNTER COMMAND...: runs COMMAND with its output in LOG, shows
# progress, and returns the exit status.  COUNTER is a function that prints a COUNT for
# show_progress().
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

# A COUNTER for a step that cannot say how far it is.
no_count()
{
	:
}

# Prints the first line of a build's log that a compiler or make calls an error.
first_error()
{
	local -r log=$1

	grep --max-count=1 --extended-regexp '[ :](fatal )?error:|\*\*\* ' "$log" ||
		echo "see $log"
}
