#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Takes one run from the kernel's source to the verdict.
# Usage: lab/scenario.sh prepare|run|boot|dry-run RUN_DIR
#
# RUN_DIR/scenario says what to do, and RUN_DIR/plan lists the tests.
#   prepare	builds what is missing
#   run		boots the kernel, judges the run, and exits with the judge's status
#   boot	boots the kernel and does not judge
#   dry-run	prints what would be run, and fetches, builds and boots nothing
# When there is nothing to run, for example because a kernel does not build,
# RUN_DIR/not-run has the reason.

set -euo pipefail
# shellcheck source=common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"
. "$GMEM_LAB/run-dir.sh"
. "$GMEM_LAB/children.sh"

# step VARIABLE SCRIPT ARGUMENT...: sets VARIABLE to what a script of the lab prints.
step()
{
	local -n result=$1
	local -r script=$2
	shift 2

	run_child "$GMEM_LAB/$script" "$@" > "$RUN_DIR/.step" || return
	result=$(< "$RUN_DIR/.step")
	rm "$RUN_DIR/.step"
}

# predict VARIABLE STANDIN SCRIPT ARGUMENT...: does what step() does and makes nothing.
# VARIABLE is STANDIN where the answer is not known before the thing is made.
predict()
{
	local -n result=$1
	local -r standin=$2 script=$3
	shift 3

	result=$("$GMEM_LAB/$script" --where "$@" 2> /dev/null) || :
	result=${result:-$standin}
}

# Chooses the kernel to build.  A kernel that is there already needs another one, whose
# headers and KVM library the tests are built with.
choose_kernel()
{
	KIND=$(setting kernel) TREE=$(setting tree) IMAGE=$(setting image)
	BUILD=() CONFIG=()
	[[ -z $(setting config) ]] || CONFIG=(--config "$(setting config)")
	if [[ -n $IMAGE || $KIND == host ]]; then
		BUILD=(--headers)
		KIND=${TREE:+tree}
	fi
	KIND=${KIND:-stock} SOURCE=$TREE
}

# Sets IMAGE to the image of the kernel that was built, unless the user has named one.
built_image()
{
	[[ -n $IMAGE ]] ||
		IMAGE=$KERNEL/obj/$(data_get "$GMEM_LAB/machines/$ARCH" image)
}

prepare()
{
	local -r common=(--arch "$ARCH" --jobs "$JOBS")

	[[ $KIND == tree ]] || step SOURCE fetch.sh "$(setting linux)" || return
	step KERNEL kernel.sh "${BUILD[@]}" "${common[@]}" "${CONFIG[@]}" "$KIND" "$SOURCE" || return
	built_image
	step TESTS build-tests.sh "${common[@]}" "$KERNEL" || return
	[[ $HOST == true ]] || step INITRAMFS initramfs.sh --arch "$ARCH" "$TESTS" || return
	[[ $HOST == true ]] || run_child "$GMEM_LAB/firmware.sh" "$ARCH" > /dev/null || return
	# The configuration of a kernel that was built elsewhere is unknown.
	[[ $HOST == true || -n $(setting image) ]] || cp "$KERNEL/obj/.config" "$RUN_DIR/config"
	printf '%s\n' '' '# What was built for this run' "boot-image = $IMAGE" \
		"initramfs = $INITRAMFS" "tests = $TESTS" >> "$RUN_DIR/scenario"
}

run()
{
	local accel=host image initramfs
	image=$(setting boot-image) initramfs=$(setting initramfs)

	if [[ $HOST == true ]]; then
		printf 'accel = host\nrelease = %s\n' "$(uname --kernel-release)" >> "$RUN_DIR/scenario"
		run_child "$GMEM_LAB/host.sh" "$RUN_DIR" "$(setting tests)"
		return
	fi
	step accel probe-kvm.sh "$ARCH" "$image" "$initramfs" || return
	echo "accel = $accel" >> "$RUN_DIR/scenario"
	run_child "$GMEM_LAB/boot.sh" "$RUN_DIR" "$image" "$initramfs"
}

dry_run()
{
	local -r common=(--arch "$ARCH")
	local accel command

	[[ $KIND == tree ]] || predict SOURCE linux-source-VERSION_VERSION_all.deb \
		fetch.sh "$(setting linux)"
	predict KERNEL "$GMEM_CACHE/kernel/KEY" kernel.sh "${common[@]}" "${CONFIG[@]}" "$KIND" "$SOURCE"
	built_image
	predict TESTS "$GMEM_CACHE/tests/KEY" build-tests.sh "${common[@]}" "$KERNEL"
	if [[ $HOST == true ]]; then
		command=$("$GMEM_LAB/host.sh" --dry-run "$RUN_DIR" "$TESTS")
	else
		predict INITRAMFS "$GMEM_CACHE/initramfs/KEY.cpio" initramfs.sh "${common[@]}" "$TESTS"
		predict accel tcg probe-kvm.sh "$ARCH" "$IMAGE" "$INITRAMFS"
		echo "accel = $accel" >> "$RUN_DIR/scenario"
		command=$("$GMEM_LAB/boot.sh" --dry-run "$RUN_DIR" "$IMAGE" "$INITRAMFS")
	fi
	printf '# %s: kernel %s, expect %s\n%s\n' "${RUN_DIR##*/}" "$(setting kernel)" \
		"$(setting expect)" "$command"
	cat "$RUN_DIR/plan"
}

# Runs ACTION; when it fails, RUN_DIR/not-run gets the sentence of the script that failed.
attempt()
{
	local -r action=$1 before=$(cat "$RUN_DIR/seconds" 2> /dev/null || echo 0)

	export GMEM_WHY=$RUN_DIR/not-run
	if "$action"; then
		rm -f "$GMEM_WHY"
	elif [[ ! -s $GMEM_WHY ]]; then
		echo "the lab failed; its messages say why" > "$GMEM_WHY"
	fi
	unset GMEM_WHY
	echo $((before + SECONDS)) > "$RUN_DIR/seconds"
}

# Judges the run.  The verdict is printed in one piece, because several runs may end at the
# same time.
judge()
{
	local status=0 text

	[[ -x $GMEM_LAB/judge ]] || die "lab/judge is missing: there is no verdict"
	text=$("$GMEM_LAB/judge" "$RUN_DIR") || status=$?
	printf '%s\n\n' "$text"
	return "$status"
}

main()
{
	(($# == 2)) || die "usage: lab/scenario.sh prepare|run|boot|dry-run RUN_DIR"
	RUN_DIR=$(realpath "$2")
	HOST=$([[ $(setting kernel) == host ]] && echo true || echo false)
	ARCH=$(setting arch) JOBS=$(setting jobs) INITRAMFS=
	readonly RUN_DIR ARCH JOBS HOST
	choose_kernel
	case $1 in
	prepare) attempt prepare ;;
	run)
		[[ -e $RUN_DIR/not-run ]] || attempt run
		judge
		;;
	boot) run ;;
	dry-run) dry_run ;;
	*) die "unknown action '$1'" ;;
	esac
}

main "$@"
