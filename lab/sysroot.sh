#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Unpacks Debian packages of another architecture into the cache, and prints the directory.
# A machine of that architecture needs them beside the tests.
# Usage: lab/sysroot.sh [--where] ARCH
#
# The packages are those of this machine's release.  Nothing is installed, and dpkg does not
# learn of the other architecture.  For this machine's own architecture the script prints
# nothing.

set -euo pipefail
# shellcheck source=common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"
. "$GMEM_LAB/machine.sh"
. "$GMEM_LAB/cache.sh"
readonly APT=$GMEM_CACHE/apt-foreign
. "$GMEM_LAB/apt.sh"

# lab/initramfs.sh puts these into a machine, and the tests are linked with libnuma.
readonly PACKAGES=(busybox-static coreutils dash libnuma-dev stress-ng)
# Raise this when the script unpacks something else from the same packages.
readonly RECIPE=1

codename()
{
	sed -n 's/^VERSION_CODENAME=//p' /etc/os-release
}

key()
{
	echo "$RECIPE $ARCH $(codename) ${PACKAGES[*]}" | hash_of_stdin
}

# Makes the other architecture the only one of apt's private state.
choose_architecture()
{
	cat >> "$APT/apt.conf" <<-CONF
	APT::Architecture "$DEBIAN_ARCH";
	#clear APT::Architectures;
	APT::Architectures { "$DEBIAN_ARCH"; };
	CONF
}

# The private state is empty, so apt takes nothing for installed and fetches every
# dependency as well.
download()
{
	local mirror

	mirror=$(find_mirror)
	write_sources "$mirror" "$(codename)"
	run_logged "asking $mirror for $DEBIAN_ARCH packages" "$LOG/foreign-update.log" no_count \
		apt-get "${PRIVATE[@]}" update --error-on=any ||
		die "the index of $DEBIAN_ARCH packages could not be fetched"
	rm -rf "$APT/cache/archives"
	mkdir -p "$APT/cache/archives/partial"
	run_logged "fetching $DEBIAN_ARCH packages" "$LOG/foreign-download.log" no_count \
		apt-get "${PRIVATE[@]}" --option=Debug::NoLocking=1 --yes \
		--no-install-recommends --download-only install "${PACKAGES[@]}" ||
		die "the $DEBIAN_ARCH packages could not be fetched, or are not what the signed index lists"
}

# Unpacks the packages over /bin, /sbin and /lib that are links into /usr; some packages
# still have directories there.
unpack()
{
	local link package

	rm -rf "$DIR.tmp"
	mkdir -p "$DIR.tmp"/usr/{bin,sbin,lib,lib64}
	for link in bin sbin lib lib64; do
		ln -s "usr/$link" "$DIR.tmp/$link"
	done
	for package in "$APT"/cache/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$package" |
			tar --extract --keep-directory-symlink --no-same-owner \
				--directory="$DIR.tmp" --file=-
	done
	rm -rf "$APT/cache/archives"
	mv "$DIR.tmp" "$DIR"
}

main()
{
	local goal=build

	[[ ${1:-} != --where ]] || { goal=where; shift; }
	(($# == 1)) || die "usage: lab/sysroot.sh [--where] ARCH"
	readonly ARCH=$1
	[[ $ARCH != "$(host_arch)" ]] || return 0
	DEBIAN_ARCH=$(data_get "$GMEM_LAB/machines/$ARCH" debian-arch)
	DIR=$GMEM_CACHE/sysroot/$ARCH-$(key)
	readonly DIR DEBIAN_ARCH
	if [[ $goal != where ]]; then
		if [[ ! -d $DIR ]]; then
			lock "$APT/lock"
			[[ -d $DIR ]] || make_sysroot
		fi
		prune "$DIR" '*-*'
	fi
	echo "$DIR"
}

make_sysroot()
{
	write_apt_conf
	choose_architecture
	download
	run_logged "unpacking $DEBIAN_ARCH packages" "$LOG/foreign-unpack.log" no_count unpack ||
		die "the $DEBIAN_ARCH packages could not be unpacked"
}

main "$@"
