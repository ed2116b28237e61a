#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds a kernel for the lab and prints the directory that holds it: source/, and obj/ with
# the image and the user-space headers.
# Usage: lab/kernel.sh [--where|--headers] [--arch ARCH] [--config FILE] [--jobs N]
#		KERNEL SOURCE
#
# KERNEL is stock, reference, or mutants (the reference with every bug of
# lab/kernel/mutants, none of them armed), and SOURCE is a linux-source package; or KERNEL
# is tree, and SOURCE is a kernel tree of the user, which is copied and never written to.
# --config names a file of lab/kernel/config that is merged last.
# --headers stops at the headers; --where prints the directory and makes nothing.

set -euo pipefail
# shellcheck source=common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"
. "$GMEM_LAB/machine.sh"
. "$GMEM_LAB/cache.sh"
. "$GMEM_LAB/package.sh"
. "$GMEM_LAB/progress.sh"

# About as many files as a first build compiles; only the progress display uses it.
readonly USUAL_OBJECTS=1400
# Raise this when the script builds something else from the same input.
readonly RECIPE=1

fragments()
{
	printf '%s\n' "$GMEM_LAB/kernel/config/base.config" \
		"$GMEM_LAB/kernel/config/$(data_get "$MACHINE" fragment)" \
		"$GMEM_ROOT/config" "$GMEM_ROOT/$(data_get "$MACHINE" suite-fragment)"
	[[ -z $CONFIG ]] || echo "$GMEM_LAB/kernel/config/$CONFIG"
}

patches()
{
	case $KERNEL in
	reference) printf '%s\n' "$GMEM_LAB"/kernel/reference/*.patch ;;
	mutants) printf '%s\n' "$GMEM_LAB"/kernel/{reference,mutants}/*.patch ;;
	esac
}

# Prints what the fragments and the patches say to the compiler.  Comments of a fragment and
# the message of a patch do not count, so that an edit of them builds nothing.
content()
{
	fragments | xargs grep --no-filename --extended-regexp '^CONFIG_|^# CONFIG_.* is not set$'
	patches | xargs --no-run-if-empty awk 'FNR == 1 { diff = 0 } /^diff / { diff = 1 } diff'
}

# Prints the name of the directory.  The files of a user's tree change, so its name depends
# on the tree's path only, and every run builds it again, incrementally.  Any other kernel
# is built once for everything that goes into it.
key()
{
	local version=${SOURCE##*/}

	if [[ $KERNEL == tree ]]; then
		echo "tree-$(echo "$ARCH${CONFIG:+ $CONFIG} $SOURCE" | hash_of_stdin)"
		return
	fi
	version=${version%_all.deb}
	version=${version#*_}
	{
		echo "$RECIPE $ARCH ${SOURCE##*/}"
		"${CROSS_COMPILE}gcc" --version 2> /dev/null | head -n 1
		content
	} | hash_of_stdin | sed "s/^/$KERNEL-${version%%-*}-/"
}

apply_patches()
{
	local -r into=$1
	local patch out

	for patch in $(patches); do
		[[ -e $patch ]] || die "there is no patch $patch"
		out=$(patch --directory="$into" --strip=1 --forward --batch \
			--no-backup-if-mismatch --reject-file=- < "$patch") && continue
		die "${patch#"$GMEM_ROOT/"} does not apply to ${SOURCE##*/}: $(failed_hunks <<< "$out")"
	done
}

# Prints the hunks that patch(1) could not apply, such as "mm/migrate.c hunk 2 at line 120".
failed_hunks()
{
	awk '/^(checking|patching) file / { file = $3 }
	     /^Hunk #[0-9]+ (FAILED|NOT MERGED|ignored)/ {
		sub("#", "", $2)
		print file " hunk " $2 " at line " $NF + 0
	     }
	     /No file to patch|Reversed/ { print (file ? file ": " : "") $0 }' |
		paste --serial --delimiters=, | sed 's/,/, /g' | grep . || echo "malformed"
}

# Removes what a run that was killed has left, which may take a while.
discard()
{
	[[ ! -e $1 ]] || run_logged "removing what a killed run left" "$DIR/discard.log" \
		no_count rm -rf "$1"
}

# Makes source/ under another name and renames it when it is complete and patched, so that
# a run that is killed leaves no half of it.
make_source()
{
	[[ ! -d $DIR/source ]] || return 0
	mkdir -p "$DIR"
	discard "$DIR/source.tmp"
	run_logged "unpacking ${SOURCE##*/} for $KERNEL" "$DIR/unpack.log" no_count \
		unpack_package "$SOURCE" "$DIR/source.tmp" ||
		die "${SOURCE##*/} could not be unpacked"
	apply_patches "$DIR/source.tmp"
	mv "$DIR/source.tmp" "$DIR/source"
}

count_objects()
{
	local -r done=$(grep --count --extended-regexp '^  (CC|AS|HOSTCC) ' "$DIR/build.log")

	# Nobody knows how many files an incremental build compiles.
	echo "$done $([[ -e $DIR/obj/vmlinux ]] || echo "~$USUAL_OBJECTS")"
}

make_headers()
{
	[[ $KERNEL != tree && -d $DIR/obj/usr/include/linux ]] && return
	run_logged "installing the headers of $KERNEL" "$DIR/headers.log" no_count \
		"${MAKE[@]}" -j "$JOBS" headers || die "the headers of $KERNEL could not be installed"
}

# Merges the fragments into tinyconfig with the tree's own tools.
merge_config()
{
	"${MAKE[@]}" tinyconfig
	cd "$DIR/source"
	fragments | xargs scripts/kconfig/merge_config.sh -m -O "$DIR/obj" "$DIR/obj/.config"
	"${MAKE[@]}" olddefconfig
}

# Kconfig silently drops an option that it does not know or whose dependencies are not met,
# so this compares what is configured with what was asked for.
check_config()
{
	local -r config=$1
	local missing

	missing=$(fragments | xargs cat | awk -v config="$config" '
		/^CONFIG_[A-Za-z0-9_]+=/ { split($0, kv, "="); want[kv[1]] = $0 }
		/^# CONFIG_[A-Za-z0-9_]+ is not set/ { want[$2] = "" }
		END {
			while ((getline line < config) > 0)
				if (line ~ /^CONFIG_/) { split(line, kv, "="); have[kv[1]] = line }
			for (name in want)
				if (want[name] != have[name])
					print want[name] ? want[name] : name " off"
		}' | sort)
	[[ -z $missing ]] ||
		die "Kconfig does not take these options of the $KERNEL kernel: $(paste --serial --delimiters=' ' <<< "$missing")"
}

# A build that was killed may have left half an object file that looks new to make.  ccache
# still has what that build compiled.
discard_killed_build()
{
	[[ ! -e $DIR/building ]] || discard "$DIR/obj"
	mkdir -p "$DIR/obj"
	touch "$DIR/building"
}

# Ends the script.  make has ended by itself and has removed what it did not finish, so
# these objects may be used again.
build_failed()
{
	rm "$DIR/building"
	die "the $KERNEL kernel does not build: $(first_error "$DIR/build.log")"
}

build()
{
	local target
	target=$(data_get "$MACHINE" image)

	run_logged "configuring $KERNEL" "$DIR/config.log" no_count merge_config ||
		die "the $KERNEL kernel could not be configured"
	check_config "$DIR/obj/.config"
	run_logged "building the $KERNEL kernel, files compiled" "$DIR/build.log" \
		count_objects "${MAKE[@]}" -j "$JOBS" "${target##*/}" ||
		build_failed
}

parse_arguments()
{
	GOAL=build ARCH=$(host_arch) CONFIG='' JOBS=$(nproc)
	while [[ ${1:-} == --* ]]; do
		case $1 in
		--where | --headers) GOAL=${1#--}; shift ;;
		--arch) ARCH=$2; shift 2 ;;
		--config) CONFIG=$2; shift 2 ;;
		--jobs) JOBS=$2; shift 2 ;;
		*) die "unknown option '$1'" ;;
		esac
	done
	(($# == 2)) || die "usage: lab/kernel.sh [--where|--headers] [--arch ARCH] [--config FILE] [--jobs N] KERNEL SOURCE"
	readonly KERNEL=$1 SOURCE=$2 GOAL ARCH CONFIG JOBS
	readonly MACHINE=$GMEM_LAB/machines/$ARCH
	set_compiler "$ARCH"
}

main()
{
	parse_arguments "$@"
	DIR=$GMEM_CACHE/kernel/$(key)
	readonly DIR
	readonly MAKE=(make -C "$DIR/source" O=../obj
		ARCH="$(data_get "$MACHINE" make-arch)"
		CC="ccache ${CROSS_COMPILE}gcc" HOSTCC="ccache gcc")
	if [[ $GOAL != where ]]; then
		if [[ ! -e $DIR/complete ]]; then
			lock "$DIR.lock"
			[[ -e $DIR/complete ]] || make_kernel
		fi
		prune "$DIR" '*-*'
	fi
	echo "$DIR"
}

make_kernel()
{
	# ccache takes paths below DIR as relative, so kernels share the objects of files that
	# are equal.  It reads the compiler's own list of headers instead of preprocessing.
	export CCACHE_BASEDIR=$DIR CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1

	if [[ $KERNEL == tree ]]; then
		mkdir -p "$DIR"
		run_logged "copying $SOURCE" "$DIR/copy.log" no_count \
			"$GMEM_LAB/tree.sh" "$SOURCE" "$DIR/source" ||
			die "$SOURCE could not be copied"
	else
		make_source
	fi
	discard_killed_build
	make_headers
	[[ $GOAL == headers ]] || build
	rm "$DIR/building"
	[[ $GOAL == headers || $KERNEL == tree ]] || touch "$DIR/complete"
}

main "$@"
