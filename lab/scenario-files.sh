# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The files of lab/scenarios, and the scenario of a run that is put together from them.
# Usage: . "$GMEM_LAB/scenario-files.sh", after common.sh
#
# "include = NAME" in such a file stands for the text of lab/scenarios/NAME.

. "$GMEM_LAB/data.sh"

# Every key that a file of lab/scenarios may have.
readonly SCENARIO_KEYS="allow-log allow-skip append arch arg boot-timeout config dimm-memory expect
	include issues-of kernel kernels memory node-memory timeout"

# check_line NAME LINE: refuses a line that nobody would read, because a scenario with a key
# that is misspelt, or has another name now, would run as if the line were not there.
check_line()
{
	local -r line=$2

	[[ $line =~ ^[[:blank:]]*(#|$) ]] ||
		[[ $line =~ ^([a-z-]+)[[:blank:]]*= &&
		   " ${SCENARIO_KEYS//[[:space:]]/ } " == *" ${BASH_REMATCH[1]} "* ]] ||
		die "lab/scenarios/$1 has a line that is no 'KEY = VALUE' of a known key: $line"
}

# scenario_text NAME: prints the text of the scenario NAME.  The recursive call passes the
# names of the files that include this one as well, so that a circle is seen.
scenario_text()
{
	local -r name=$1 within=${2:-} file=$GMEM_LAB/scenarios/$1
	local line

	[[ -f $file && $name != */* ]] ||
		die "lab/scenarios/${within##* } includes '$name', which is not in lab/scenarios"
	[[ " $within " != *" $name "* ]] ||
		die "lab/scenarios/$name includes itself:$within $name"
	while IFS= read -r line || [[ -n $line ]]; do
		check_line "$name" "$line"
		if [[ $line =~ ^include[[:blank:]]*=[[:blank:]]*(.*)$ ]]; then
			scenario_text "${BASH_REMATCH[1]}" "$within $name"
		else
			printf '%s\n' "$line"
		fi
	done < "$file"
}

# scenario_get NAME KEY: prints the last value of KEY in the scenario NAME.
scenario_get()
{
	local text

	text=$(scenario_text "$1") || exit
	data_get /dev/stdin "$2" <<< "$text"
}

# Prints what every run in a machine of ARCH has to know: what the machine lacks, and the
# time that it needs.
machine_settings()
{
	printf '# lab/machines/%s\n' "$1"
	grep --extended-regexp '^(allow-skip|allow-log|timeout|boot-timeout) *=' \
		"$GMEM_LAB/machines/$1" || :
	echo
}

# Every scenario that --scenario takes says on which kernels it is run; the other files
# are those of kernels, and what is included.
known_scenarios()
{
	grep --files-with-matches '^kernels *=' "$GMEM_LAB"/scenarios/* | sed 's,.*/,,'
}

# Prints "NAME  ARCHITECTURE  what it is", by the first sentence of each file.
list_scenarios()
{
	local name arch

	for name in $(known_scenarios); do
		arch=$(scenario_get "$name" arch)
		printf '%-14s %-8s %s\n' "$name" "$arch" \
			"$(sed -n '3s/^# //p' "$GMEM_LAB/scenarios/$name")"
	done
}
