# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Architectures by their names in lab/machines, and the compilers for them.
# Usage: . "$GMEM_LAB/machine.sh", after common.sh

. "$GMEM_LAB/data.sh"

# Prints the architecture of the machine that the lab runs on.
host_arch()
{
	uname -m | sed 's/^aarch64$/arm64/'
}

# Sets CROSS_COMPILE for ARCH, unless the user has set it.
set_compiler()
{
	local -r arch=$1

	[[ $arch == "$(host_arch)" || -n ${CROSS_COMPILE:-} ]] ||
		CROSS_COMPILE=$(data_get "$GMEM_LAB/machines/$arch" cross)
	export CROSS_COMPILE=${CROSS_COMPILE:-}
}
