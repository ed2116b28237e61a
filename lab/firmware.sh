#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Fetches the firmware that the machine of ARCH boots with, and prints its file.
# Usage: lab/firmware.sh [--where] ARCH
#
# The machine's file says "firmware = SUITE PACKAGE FILE": the Debian package is fetched and
# not installed, and FILE is taken out of it.  For a machine that does not say so the script
# prints nothing.  With --where it fetches nothing, and prints where the file is or would be.

set -euo pipefail
# shellcheck source=common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"
. "$GMEM_LAB/data.sh"
. "$GMEM_LAB/cache.sh"
readonly APT=$GMEM_CACHE/apt-firmware
. "$GMEM_LAB/apt.sh"

download()
{
	local -r dir=$1
	local mirror

	write_apt_conf
	mirror=$(find_mirror)
	write_sources "$mirror" "$SUITE"
	run_logged "asking $mirror for $PACKAGE" "$LOG/firmware-update.log" no_count \
		apt-get "${PRIVATE[@]}" update --error-on=any ||
		die "the index of $SUITE could not be fetched"
	rm -rf "$dir"
	mkdir -p "$dir"
	cd "$dir"
	run_logged "fetching $PACKAGE of $SUITE" "$LOG/firmware-download.log" no_count \
		apt-get "${PRIVATE[@]}" download "$PACKAGE" ||
		die "$PACKAGE could not be fetched, or is not what the signed index lists"
}

fetch()
{
	trap 'rm -rf "$FIRMWARE.tmp"' EXIT
	download "$FIRMWARE.tmp"
	dpkg-deb --fsys-tarfile ./*.deb | tar --extract --to-stdout --file=- "./$FILE" > firmware ||
		die "$PACKAGE of $SUITE has no $FILE"
	mv firmware "$FIRMWARE"
}

main()
{
	local goal=fetch words

	[[ ${1:-} != --where ]] || { goal=where; shift; }
	(($# == 1)) || die "usage: lab/firmware.sh [--where] ARCH"
	[[ -e $GMEM_LAB/machines/$1 ]] || die "there is no $1 machine"
	words=$(data_get "$GMEM_LAB/machines/$1" firmware)
	[[ -n $words ]] || return 0
	read -r SUITE PACKAGE FILE <<< "$words"
	FIRMWARE=$GMEM_CACHE/firmware/$1-$(echo "$words" | hash_of_stdin)
	readonly SUITE PACKAGE FILE FIRMWARE
	if [[ $goal != where && ! -e $FIRMWARE ]]; then
		lock "$APT/lock"
		[[ -e $FIRMWARE ]] || fetch
	fi
	echo "$FIRMWARE"
}

main "$@"
