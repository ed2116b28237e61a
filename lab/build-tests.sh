#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds the suite and upstream's own KVM tests against a kernel of lab/kernel.sh, installs
# them as kselftest does, and prints the directory.
# Usage: lab/build-tests.sh [--where|--names] [--arch ARCH] [--jobs N] KERNEL_DIR
#
# --names only prints every program as collection:program; it needs no kernel.

set -euo pipefail
# shellcheck source=common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"
. "$GMEM_LAB/machine.sh"
. "$GMEM_LAB/cache.sh"
. "$GMEM_LAB/progress.sh"

names()
{
	local list upstream

	list=$(make --no-print-directory -C "$GMEM_ROOT" list) || die "make list failed"
	upstream=$(make --no-print-directory -C "$GMEM_ROOT" ARCH="$ARCH" list-upstream) ||
		die "make list-upstream failed"
	printf '%s\n' "$list" | sed '/./s/^/guest_memfd:/'
	printf '%s\n' "$upstream" | sed '/./s/^/kvm:/'
}

# Prints the directories of the tests and benchmarks, which only the Makefile lists.
areas()
{
	sed -nE 's,^(TESTS|BENCHES) \+= (.*)/[^/]+$,\2,p' "$GMEM_ROOT/Makefile" | sort --unique |
		grep . || die "the Makefile lists no test"
}

# Prints what the project's part of a build is made of, in an order that does not depend
# on the disk.  Targets of the project itself, in project.mk, are no part of it.
project_files()
{
	local dirs

	dirs=$(areas) || exit
	cd "$GMEM_ROOT"
	# shellcheck disable=SC2086 # a list of words
	find Makefile settings lib $dirs -type f -print0 |
		sort --zero-terminated | xargs --null sha256sum
}

# The name of a kernel's directory is a hash of what is in it, except for the tree of a
# user, whose files are hashed here.
kernel_files()
{
	local -r source=$KERNEL_DIR/source

	echo "$KERNEL_DIR"
	[[ ${KERNEL_DIR##*/} != tree-* || ! -d $source ]] || (
		cd "$source"
		find tools/testing/selftests/{kvm,kselftest,lib.mk} tools/include \
			tools/testing/selftests/kselftest*.h tools/arch tools/lib \
			include/uapi arch/*/include/uapi -type f -print0 |
			sort --zero-terminated | xargs --null sha256sum
	)
}

key()
{
	{
		echo "$ARCH"
		"${CROSS_COMPILE}gcc" --version | head -n 1
		dpkg-query --show libc6-dev libnuma-dev 2> /dev/null || :
		project_files
		kernel_files
	} | hash_of_stdin
}

# Installs the runner, as "make install" of the tree's own selftests does.
install_runner()
{
	local -r selftests=$KERNEL_DIR/source/tools/testing/selftests

	cp "$selftests/run_kselftest.sh" "$STAGE/"
	cp --recursive "$selftests/kselftest" "$STAGE/"
	names > "$STAGE/kselftest-list.txt"
}

check_installed()
{
	local name

	while IFS= read -r name; do
		[[ -x $STAGE/${name/:/\/} ]] || die "make install left out $name"
	done < "$STAGE/kselftest-list.txt"
}

make_tests()
{
	local sysroot

	sysroot=$("$GMEM_LAB/sysroot.sh" "$ARCH") || exit
	# A build that was killed may have left half an object file that looks new to make.
	[[ ! -e $BUILD.building ]] || rm -rf "$BUILD"
	rm -rf "$STAGE"
	mkdir -p "$BUILD" "$STAGE"
	touch "$BUILD.building"
	run_logged "building the tests for ${KERNEL_DIR##*/}" "$BUILD.log" no_count \
		make -C "$GMEM_ROOT" -j "$JOBS" KSRC="$KERNEL_DIR/source" OUTPUT="$BUILD" \
		ARCH="$(data_get "$GMEM_LAB/machines/$ARCH" make-arch)" \
		CC="ccache ${CROSS_COMPILE}gcc${sysroot:+ --sysroot=$sysroot}" \
		KHDR_INCLUDES="-isystem $KERNEL_DIR/obj/usr/include" \
		INSTALL_PATH="$STAGE/guest_memfd" install upstream-install ||
		die "the tests do not build: $(first_error "$BUILD.log")"
	rm "$BUILD.building"
	install_runner
	check_installed
	mv "$STAGE" "$DIR"
}

parse_arguments()
{
	GOAL=build ARCH=$(host_arch) JOBS=$(nproc)
	while [[ ${1:-} == --* ]]; do
		case $1 in
		--where | --names) GOAL=${1#--}; shift ;;
		--arch) ARCH=$2; shift 2 ;;
		--jobs) JOBS=$2; shift 2 ;;
		*) die "unknown option '$1'" ;;
		esac
	done
	readonly GOAL ARCH JOBS KERNEL_DIR=${1:-}
	set_compiler "$ARCH"
}

main()
{
	parse_arguments "$@"
	if [[ $GOAL == names ]]; then
		names
		return
	fi
	[[ -n $KERNEL_DIR ]] || die "usage: lab/build-tests.sh [--where] KERNEL_DIR"
	DIR=$GMEM_CACHE/tests/$(key)
	# Each checkout has its own build directory, because make compares modification times,
	# and those of two checkouts say nothing about each other.
	BUILD=$GMEM_CACHE/tests/build-${KERNEL_DIR##*/}-$(hash_of_stdin <<< "$GMEM_ROOT")
	readonly DIR STAGE=$DIR.tmp BUILD
	if [[ $GOAL != where ]]; then
		if [[ ! -d $DIR ]]; then
			lock "$BUILD.lock"
			[[ -d $DIR ]] || make_tests
		fi
		prune "$DIR" '*'
	fi
	echo "$DIR"
}

main "$@"
