#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Puts the suite into a kernel tree as tools/testing/selftests/guest_memfd, or takes it out
# again.  The files are copied, because behind a symbolic link lib.mk would not find the tree.
#
# Usage: lab/dropin.sh dropin|dropin-remove KSRC "FILE..."

set -euo pipefail

readonly HERE="${BASH_SOURCE[0]%/*}/.."
readonly LINE='TARGETS += guest_memfd'

die()
{
	echo "make dropin: $1" >&2
	exit 2
}

# Succeeds if DIR may be removed: it is not there, or "make dropin" has made it.
is_our_copy()
{
	local -r dir=$1

	[[ ! -e $dir && ! -L $dir ]] ||
		grep --quiet '^# guest_memfd migration selftests' "$dir/Makefile" 2> /dev/null
}

# Adds LINE to MAKEFILE where it sorts among the others, unless it is there already.
add_target()
{
	local makefile=$1

	grep -qx "$LINE" "$makefile" && return
	awk -v line="$LINE" '
		!done && /^TARGETS \+= / && $0 > line { print line; done = 1 }
		{ print }
		END { exit !done }' "$makefile" > "$makefile.new" ||
		die "there is no TARGETS list in $makefile"
	cat "$makefile.new" > "$makefile"
	rm "$makefile.new"
}

main()
{
	local verb=$1 ksrc=$2 files=$3
	local selftests

	[[ -n $ksrc ]] || die "set KSRC= to the kernel tree"
	[[ -f $ksrc/tools/testing/selftests/lib.mk ]] || die "KSRC=$ksrc is not a kernel tree"
	selftests=$(realpath "$ksrc/tools/testing/selftests")
	cd "$HERE"
	is_our_copy "$selftests/guest_memfd" ||
		die "$selftests/guest_memfd is not a copy of this suite, so it stays as it is"
	rm -rf "$selftests/guest_memfd"
	case $verb in
	dropin)
		mkdir "$selftests/guest_memfd"
		# shellcheck disable=SC2086 # a list of words
		cp -r $files "$selftests/guest_memfd/"
		add_target "$selftests/Makefile"
		;;
	dropin-remove)
		sed -i "/^$LINE\$/d" "$selftests/Makefile"
		;;
	*)
		die "unknown verb $verb"
		;;
	esac
}

main "$@"
