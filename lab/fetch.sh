#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Fetches the distribution's newest kernel source and prints the package's file.
# Usage: lab/fetch.sh [--where] [VERSION]	(VERSION: 7.3; default the newest)
# With --where nothing is fetched: prints the newest in the cache, or nothing.
#
# apt does the fetching, with a state of its own, and so does the verifying: an
# index counts only with a valid signature of Debian's keyring, a package only
# with the hash that the signed index gives it.  A file appears in deb/ only
# after that.  The mirror is the one that this machine's own apt uses, or
# GMEM_MIRROR.

set -euo pipefail
# shellcheck source=common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"

readonly SUITES=(trixie-backports sid)
readonly OLDEST=7.2
readonly KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
readonly APT=$GMEM_CACHE/apt DEB=$GMEM_CACHE/deb LOG=$GMEM_CACHE/log
readonly PRIVATE=(--config-file="$APT/apt.conf"
	--option=Dir::Etc::SourceList="$APT/sources.list"
	--option=Dir::Etc::SourceParts=-)
readonly INDEX_MAX_AGE_MINUTES=1440

# "#clear" undoes hooks of the machine's own configuration; proxies stay.
write_apt_conf()
{
	mkdir -p "$APT"/{lists,cache,lists/partial} "$DEB"
	: > "$APT/status"
	cat > "$APT/apt.conf" <<-CONF
	#clear APT::Update::Pre-Invoke;
	#clear APT::Update::Post-Invoke;
	#clear APT::Update::Post-Invoke-Success;
	Dir::State "$APT";
	Dir::State::status "$APT/status";
	Dir::Cache "$APT/cache";
	Acquire::AllowInsecureRepositories "false";
	Acquire::AllowDowngradeToInsecureRepositories "false";
	Acquire::AllowWeakRepositories "false";
	APT::Get::AllowUnauthenticated "false";
	Acquire::Languages "none";
	CONF
	# Root's apt would become _apt, which may not write into this cache.
	((EUID != 0)) || echo 'APT::Sandbox::User "root";' >> "$APT/apt.conf"
}

# The machine's own Debian mirror, as its apt configuration has it.
mirror_of_machine()
{
	# shellcheck disable=SC2016 # apt expands $(REPO_URI), not the shell
	apt-get "$@" indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		'Origin: Debian' 'Label: Debian' 'Component: main' 2> /dev/null |
		grep --invert-match '^cdrom:' | sed -n '1s,/*$,,p' || :
}

# Where the machine's lists were never fetched they are fetched into the
# private state: an unprivileged user can do that.
find_mirror()
{
	local mirror=${GMEM_MIRROR:-}

	[[ -n $mirror ]] || mirror=$(mirror_of_machine)
	if [[ -z $mirror ]]; then
		run_logged "reading this machine's package sources" \
			"$LOG/mirror.log" no_count \
			apt-get --config-file="$APT/apt.conf" update || :
		mirror=$(mirror_of_machine --config-file="$APT/apt.conf")
	fi
	[[ -n $mirror ]] ||
		die "this machine's apt knows no Debian mirror; name one in GMEM_MIRROR"
	echo "$mirror"
}

write_sources()
{
	local -r mirror=$1
	local suite

	for suite in "${SUITES[@]}"; do
		echo "deb [signed-by=$KEYRING] $mirror $suite main"
	done > "$APT/sources.list"
}

# Without --error-on=any apt calls an index that it could not fetch a success.
refresh_index()
{
	local mirror

	mirror=$(find_mirror)
	write_sources "$mirror"
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

# "package version" of all that the index offers, and of all in the cache.  apt
# takes a second to answer, and the answer changes with the index only.
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

# Of "package version" lines the newest: of VERSION, or of all from OLDEST on.
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

# Sources have no epoch, so the version is a file name as it is.
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

# "package version" to use; empty if there is none.
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

	mkdir -p "$LOG"
	lock "$APT/lock"
	write_apt_conf
	choice=$(choose "${1:-}")
	[[ -n $choice ]] ||
		die "no linux-source${1:+-$1} of $OLDEST or later in ${SUITES[*]} of this machine's mirror"
	package=${choice% *} version=${choice#* }
	[[ -e $(deb_file "$package" "$version") ]] || download "$package" "$version"
	deb_file "$package" "$version"
}

main "$@"
