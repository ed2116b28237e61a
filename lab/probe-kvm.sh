#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Finds out whether KVM nests on this host, by booting a guest that runs a guest, and
# prints the accelerator to use: kvm or tcg.
# Usage: lab/probe-kvm.sh [--where] ARCH IMAGE INITRAMFS
#
# That /dev/kvm can be opened proves nothing.  With --where nothing is booted: the script
# prints the answer of an earlier probe, or tcg.

set -euo pipefail
# shellcheck source=common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"
. "$GMEM_LAB/machine.sh"
. "$GMEM_LAB/cache.sh"
. "$GMEM_LAB/children.sh"

# Timeouts of the probe, which takes two seconds under KVM.
readonly BOOT_SECONDS=15 RUN_SECONDS=15

# Prints a hash of what the answer depends on.  The boot ID is part of it, because a reboot
# may change modules and their parameters.
key()
{
	{
		cat /proc/sys/kernel/random/boot_id
		"$(data_get "$GMEM_LAB/machines/$ARCH" qemu)" --version
		echo "$IMAGE"
	} | hash_of_stdin
}

# Succeeds where no boot is needed to know that KVM does not nest.
hopeless()
{
	[[ ! -r /dev/kvm || ! -w /dev/kvm || $ARCH != $(host_arch) ]] ||
		grep --quiet --no-messages '^[0N]' \
			/sys/module/kvm_intel/parameters/nested \
			/sys/module/kvm_amd/parameters/nested
}

probe()
{
	PROBE=$(mktemp --directory /tmp/gmem.XXXXXX)
	trap 'rm -rf "$PROBE"' EXIT
	cat > "$PROBE/scenario" <<-DATA
	kernel = probe
	arch = $ARCH
	accel = kvm
	seed = 0
	probe = 1
	boot-timeout = $BOOT_SECONDS
	timeout = $RUN_SECONDS
	DATA
	: > "$PROBE/plan"
	run_child "$GMEM_LAB/boot.sh" "$PROBE" "$IMAGE" "$INITRAMFS" 2> /dev/null || :
	grep --quiet '^# gmem-lab: probe passed' "$PROBE/ktap.log"
}

main()
{
	local where=false answer=tcg file

	[[ ${1:-} != --where ]] || { where=true; shift; }
	(($# == 3)) || die "usage: lab/probe-kvm.sh [--where] ARCH IMAGE INITRAMFS"
	readonly ARCH=$1 IMAGE=$2 INITRAMFS=$3
	if ! hopeless; then
		file=$GMEM_CACHE/probe-kvm/$(key 2> /dev/null)
		if [[ ! -e $file ]] && ! $where; then
			say "probing whether KVM nests on this host"
			! probe || answer=kvm
			mkdir -p "${file%/*}"
			echo "$answer" > "$file.tmp"
			mv "$file.tmp" "$file"
		fi
		[[ ! -e $file ]] || answer=$(< "$file")
	fi
	echo "$answer"
}

main "$@"
