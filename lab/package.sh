# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What a linux-source package has in it.
# Usage: . "$GMEM_LAB/package.sh"

# unpack_package PACKAGE DIR [TAR-OPTION|MEMBER...]: unpacks the kernel source of PACKAGE
# into DIR, or only what the members name.  Fails if the package is damaged.
unpack_package()
{
	local -r package=$1 into=$2
	local -r file=${package##*/}
	shift 2

	mkdir -p "$into"
	dpkg-deb --fsys-tarfile "$package" |
		tar --extract --to-stdout --file=- "./usr/src/${file%%_*}.tar.xz" |
		xz --decompress --threads=0 |
		tar --extract --strip-components=1 --directory="$into" --file=- "$@"
}
