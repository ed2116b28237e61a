#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Packs the installed tests and what they need into an initramfs, and prints its path.
# Usage: lab/initramfs.sh [--where] [--arch ARCH] TESTS_DIR

set -euo pipefail
# shellcheck source=common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"
. "$GMEM_LAB/machine.sh"
. "$GMEM_LAB/cache.sh"
. "$GMEM_LAB/progress.sh"

# The runner of kselftest calls the first two by their paths, with options that only
# coreutils has.  stress-ng makes the memory pressure.  The shell is dash, because busybox's
# shell would run its own sed instead of lab/guest/sed.
readonly PROGRAMS=(/usr/bin/timeout /usr/bin/stdbuf)
readonly SEARCHED=(dash stress-ng)
readonly LIBSTDBUF=/usr/libexec/coreutils/libstdbuf.so

# Prints the path of NAME inside the machine, which is its path here without SYSROOT.
search()
{
	local -r name=$1
	local dir

	for dir in /usr/bin /bin /usr/sbin /sbin; do
		if [[ -x $SYSROOT$dir/$name ]]; then
			echo "$dir/$name"
			return
		fi
	done
	die "$name is missing"
}

programs()
{
	local name

	printf '%s\n' "${PROGRAMS[@]}" "$LIBSTDBUF"
	for name in "${SEARCHED[@]}"; do
		search "$name"
	done
}

key()
{
	{
		echo "$TESTS"
		{ search busybox; programs; } | sed "s|^|$SYSROOT|" | xargs sha256sum
		(cd "$GMEM_LAB/guest" && sha256sum ./*)
	} | hash_of_stdin
}

# Prints every shared library of the programs that are named on stdin, by the path at which
# the loader looks for it.
libraries()
{
	if [[ -n $SYSROOT ]]; then
		foreign_libraries
		return
	fi
	xargs ldd 2> /dev/null |
		awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }' |
		sed '/:$/d' | sort --unique
}

# Does the same for another architecture, where ldd would have to run the programs: follows
# what each file needs, and what that needs.
foreign_libraries()
{
	local -r dirs=("$SYSROOT"/usr/lib "$SYSROOT"/usr/lib/*-linux-gnu)
	local -a todo
	local name dir names found=' '

	mapfile -t todo
	while ((${#todo[@]} > 0)); do
		names=$(readelf --dynamic "${todo[@]}" 2> /dev/null |
			sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p')
		todo=()
		for name in $names; do
			[[ $found != *" $name "* ]] || continue
			found+="$name "
			for dir in "${dirs[@]}"; do
				[[ -e $dir/$name ]] || continue
				todo+=("$dir/$name")
				echo "${dir#"$SYSROOT"}/$name"
				break
			done
		done
	done
}

copy_in()
{
	local file

	while IFS= read -r file; do
		mkdir -p "$ROOT${file%/*}"
		cp --dereference "$SYSROOT$file" "$ROOT$file"
	done
}

# Builds a program for the guest that needs nothing but the C library.
compile()
{
	local -r source=$1 program=$2

	"${CROSS_COMPILE}gcc" ${SYSROOT:+"--sysroot=$SYSROOT"} -O2 -Wall -Werror -o "$program" \
		"$source"
}

# Makes the root directory.  /bin, /sbin and /lib are links into /usr, as on this machine,
# so that the paths that ldd prints are right.
make_root()
{
	local link applet

	mkdir -p "$ROOT"/{dev,proc,sys,tmp,root,run,usr/bin,usr/sbin,usr/lib,usr/lib64,usr/local/bin}
	for link in bin sbin lib lib64; do
		ln -s "usr/$link" "$ROOT/$link"
	done
	cp "$SYSROOT$(search busybox)" "$ROOT/usr/bin/busybox"
	# The busybox of this machine can be run here, and has the same applets.
	busybox --list-full | while IFS= read -r applet; do
		[[ -e $ROOT/usr/bin/${applet##*/} ]] ||
			ln -s busybox "$ROOT/usr/bin/${applet##*/}"
	done
	rm -f "${PROGRAMS[@]/#/$ROOT}"
	programs | copy_in
	ln --symbolic --force dash "$ROOT/usr/bin/sh"
	cp --archive "$TESTS" "$ROOT/ksft"
	compile "$GMEM_LAB/guest/hold-vm.c" "$ROOT/usr/local/bin/hold-vm"
	{ programs | sed "s|^|$SYSROOT|"; find "$TESTS" -type f -perm /111; } | libraries | copy_in
	install --mode=755 "$GMEM_LAB/guest/init" "$ROOT/init"
	install --mode=755 "$GMEM_LAB/guest"/{sed,state} "$ROOT/usr/local/bin"
}

# Prints an archive whose bytes depend on nothing but the content: owner, times and order
# are fixed.
pack()
{
	cd "$ROOT"
	find . -exec touch --no-dereference --date=@0 '{}' +
	find . -print0 | sort --zero-terminated |
		cpio --null --create --format=newc --owner=+0:+0 --reproducible --quiet
}

make_initramfs()
{
	ROOT=$CPIO.root
	rm -rf "$ROOT"
	make_root
	pack > "$CPIO.tmp"
	mv "$CPIO.tmp" "$CPIO"
	rm -rf "$ROOT"
}

main()
{
	local goal=build

	ARCH=$(host_arch)
	[[ ${1:-} != --where ]] || { goal=where; shift; }
	[[ ${1:-} != --arch ]] || { ARCH=$2; shift 2; }
	(($# == 1)) || die "usage: lab/initramfs.sh [--where] [--arch ARCH] TESTS_DIR"
	readonly TESTS=$1 ARCH
	set_compiler "$ARCH"
	local -a where=()
	[[ $goal != where ]] || where=(--where)
	SYSROOT=$("$GMEM_LAB/sysroot.sh" "${where[@]}" "$ARCH")
	readonly SYSROOT
	CPIO=$GMEM_CACHE/initramfs/$(key).cpio
	readonly CPIO
	if [[ $goal != where ]]; then
		if [[ ! -e $CPIO ]]; then
			lock "${CPIO%/*}/lock"
			[[ -e $CPIO ]] || run_logged "packing the initramfs" "$CPIO.log" \
				no_count make_initramfs || die "the initramfs could not be packed"
		fi
		# An archive is large, and is packed again in seconds.
		prune "$CPIO" '*.cpio*' 1
	fi
	echo "$CPIO"
}

main "$@"
