#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Installs the Debian packages that the lab needs and this machine lacks, and every PACKAGE.
# Usage: lab/packages.sh [--arch ARCH] [PACKAGE...]

set -euo pipefail
# shellcheck source=common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"
. "$GMEM_LAB/machine.sh"
. "$GMEM_LAB/progress.sh"

# The lines are: the compiler and what a kernel build runs, libraries of KVM selftests and
# ours, what goes into the initramfs, and what the scripts run.  A file of lab/machines names
# the emulator and the cross-compiler.
readonly PACKAGES=(
	build-essential bc bison ccache flex libelf-dev libssl-dev perl
	libnuma-dev uuid-dev
	busybox-static cpio stress-ng
	debian-archive-keyring python3 rsync xz-utils
)

packages_of_machine()
{
	local -r machine=$GMEM_LAB/machines/$ARCH

	data_get "$machine" packages
	[[ $ARCH == "$(host_arch)" ]] || data_get "$machine" cross-packages
}

missing_packages()
{
	local package

	for package in "$@"; do
		[[ $(dpkg-query --show --showformat='${db:Status-Status}' \
			"$package" 2> /dev/null) == installed ]] || echo "$package"
	done
}

# Prints the command that makes another one run as root, or nothing.
become_root()
{
	if ((EUID == 0)); then
		echo env
	elif sudo -n true 2> /dev/null; then
		echo "sudo -n"
	fi
}

# apt's lists may be missing, as in a fresh container, or name packages that the mirror no
# longer has, so a failure is followed by an update and another attempt.
install_packages()
{
	local -r as_root=$1 log=$GMEM_CACHE/log/packages.log
	shift
	local -r install=(env DEBIAN_FRONTEND=noninteractive
		apt-get install --yes --no-install-recommends "$@")

	# shellcheck disable=SC2086 # "sudo -n" is two words
	run_logged "installing $*" "$log" no_count $as_root "${install[@]}" && return
	# shellcheck disable=SC2086 # "sudo -n" is two words
	run_logged "apt-get update" "$log" no_count $as_root apt-get update
	# shellcheck disable=SC2086 # "sudo -n" is two words
	run_logged "installing $*" "$log" no_count $as_root "${install[@]}"
}

main()
{
	local missing as_root
	local -a needed

	ARCH=$(host_arch)
	[[ ${1:-} != --arch ]] || { ARCH=$2; shift 2; }
	readonly ARCH
	read -r -d '' -a needed <<< "${PACKAGES[*]} $(packages_of_machine) $*" || :
	if ! type -P dpkg-query apt-get > /dev/null; then
		say "On Debian: apt-get install ${needed[*]}"
		die "this machine has no apt; install the equivalent of the packages above"
	fi
	missing=$(missing_packages "${needed[@]}")
	[[ -n $missing ]] || return 0
	mapfile -t missing <<< "$missing"
	as_root=$(become_root)
	if [[ -z $as_root ]]; then
		say "apt-get install ${missing[*]}"
		die "packages are missing; run the command above as root"
	fi
	mkdir -p "$GMEM_CACHE/log"
	install_packages "$as_root" "${missing[@]}" ||
		die "apt-get could not install ${missing[*]}"
}

main "$@"
