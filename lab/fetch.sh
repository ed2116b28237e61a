#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Fetches the newest kernel source of the distribution, and prints the package's file.
# Usage: lab/fetch.sh [--where] [VERSION]
#
# VERSION is a version like 7.3; the default is the newest.  With --where nothing is fetched:
# the script prints the newest package in the cache, or nothing.  apt fetches and verifies,
# see lab/apt.sh, and only then the file appears in deb/.

set -euo pipefail
# shellcheck source=common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"
. "$GMEM_LAB/cache.sh"
readonly APT=$GMEM_CACHE/apt DEB=$GMEM_CACHE/deb
. "$GMEM_LAB/apt.sh"

readonly SUITES=(trixie-backports sid)
readonly OLDEST=7.2
readonly INDEX_MAX_AGE_MINUTES=1440

# Without --error-on=any apt succeeds even where it could not fetch the index.
refresh_index()
{
	local mirror

	mirror=$(find_mirror)
	write_sources "$mirror" "${SUITES[@]}"
	rm -f "$APT/updated"
	run_logged "asking $mirror for kernel sources" "$LOG/apt-update.log" no_count \
		apt-get "${PRIVATE[@]}" update --error-on=any || return
	list_offered > "$APT/offered"
	touch "$APT/updated"
}

index_is_fresh()
{
	[[ -n $(find "$APT/updated" -mmin "-$INDEX_MAX_AGE_MINUTES" 2> /dev/null) ]]
}

# offered() and cached() print "PACKAGE VERSION" of what the index offers and of what is in
# the cache.  list_offered() asks apt, which takes a second, so refresh_index() keeps the
# answer.
offered()
{
	cat "$APT/offered" 2> /dev/null || :
}

list_offered()
{
	local names

	mapfile -t names < <(apt-cache "${PRIVATE[@]}" pkgnames linux-source- 2> /dev/null |
		grep --extended-regexp '^linux-source-[0-9]+\.[0-9]+$')
	((${#names[@]} == 0)) ||
		apt-cache "${PRIVATE[@]}" madison "${names[@]}" 2> /dev/null |
			awk -F '|' '{ gsub(/ /, ""); print $1 " " $2 }'
}

cached()
{
	local file

	for file in "$DEB"/linux-source-*_all.deb; do
		[[ -e $file ]] || continue
		file=${file##*/}
		file=${file%_all.deb}
		echo "${file%%_*} ${file#*_}"
	done
}

# Reads lines of "PACKAGE VERSION" and prints the newest: that of the version that is WANTED,
# or that of all since OLDEST.
newest()
{
	local -r wanted=$1
	local package version best_package='' best=''

	while read -r package version; do
		if [[ -n $wanted && $package != "linux-source-$wanted" ]] ||
		   dpkg --compare-versions "${package#linux-source-}" lt "$OLDEST"; then
			continue
		fi
		if [[ -z $best ]] || dpkg --compare-versions "$version" gt "$best"; then
			best_package=$package best=$version
		fi
	done
	[[ -z $best ]] || echo "$best_package $best"
}

# A version of kernel sources has no epoch, so it can be part of a file's name.
deb_file()
{
	echo "$DEB/$1_$2_all.deb"
}

count_downloaded()
{
	local -r kib=$(du --summarize "$DEB/tmp" 2> /dev/null | cut -f 1)

	echo "$((${kib:-0} / 1024)) $MIBYTES"
}

download()
{
	local -r package=$1 version=$2
	local size

	size=$(apt-cache "${PRIVATE[@]}" show "$package=$version" |
		sed -n 's/^Size: //p' | head -n 1)
	MIBYTES=$((${size:-0} / 1024 / 1024))
	rm -rf "$DEB/tmp"
	mkdir -p "$DEB/tmp"
	cd "$DEB/tmp"
	run_logged "fetching $package $version, MiB" "$LOG/download.log" count_downloaded \
		apt-get "${PRIVATE[@]}" download "$package=$version" ||
		die "$package $version could not be fetched, or is not what the signed index lists"
	mv ./*.deb "$(deb_file "$package" "$version")"
	rm -rf "$DEB/tmp"
}

# Prints the "PACKAGE VERSION" to use, or nothing.  An index that is a day old is refreshed,
# and without network the cache has to do.
choose()
{
	local -r wanted=$1
	local have choice

	have=$(cached | newest "$wanted")
	if ! { [[ -n $have ]] && index_is_fresh; } && ! refresh_index &&
	   [[ -n $have ]]; then
		say "the index could not be refreshed; using the verified $have in the cache"
		echo "$have"
		return
	fi
	choice=$(offered | newest "$wanted")
	echo "${choice:-$have}"
}

main()
{
	local choice package version

	if [[ ${1:-} == --where ]]; then
		choice=$(cached | newest "${2:-}")
		[[ -z $choice ]] || deb_file "${choice% *}" "${choice#* }"
		return
	fi

	lock "$APT/lock"
	mkdir -p "$DEB"
	write_apt_conf
	choice=$(choose "${1:-}")
	[[ -n $choice ]] ||
		die "no linux-source${1:+-$1} of $OLDEST or later in ${SUITES[*]} of this machine's mirror"
	package=${choice% *} version=${choice#* }
	[[ -e $(deb_file "$package" "$version") ]] || download "$package" "$version"
	deb_file "$package" "$version"
}

main "$@"
