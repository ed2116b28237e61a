#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Boots one kernel in QEMU and leaves what it said in RUN_DIR.
# Usage: lab/boot.sh [--dry-run] RUN_DIR IMAGE INITRAMFS
#
# RUN_DIR/scenario says how, RUN_DIR/plan lists the tests.  --dry-run only
# prints the command.  Judging is not done here: a machine that had to be killed
# leaves the file "watchdog", with "boot" or "run" in it.

set -euo pipefail
# shellcheck source=common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"
. "$GMEM_LAB/run-dir.sh"
. "$GMEM_LAB/progress.sh"

# A panic or an oops ends the machine, as QEMU exits instead of rebooting.
readonly APPEND="panic=-1 oops=panic rdinit=/init"
# For an emulated machine, which is slow: tests stretch their bounds, and grace
# periods take no longer than they must.
readonly SLOW="KSFT_MACHINE_SLOW=1 rcupdate.rcu_expedited=1 sysctl.debug.kprobes-optimization=0"
# Seconds until the tests begin, and until they end; scenarios may say other.
readonly BOOT_TIMEOUT=60 RUN_TIMEOUT=900
# Seconds for a machine that reported its end to power off.
readonly OFF_TIMEOUT=20
# How much longer that is where others come first.
readonly LEFTOVERS=4
# Seconds that a full run may take, and that a soak may give no sign of life.
readonly FULL_TIMEOUT=7200 SILENCE_TIMEOUT=900

kernel_command_line()
{
	local -r expect=$(setting expect) only=$(setting only)
	local line

	line="$(data_get "$MACHINE" append) $APPEND"
	line+=$(data_all "$RUN_DIR/scenario" append | sed 's/^/ /' | tr -d '\n')
	[[ -z $expect || $expect == auto ]] || line+=" GMEM_EXPECT=$expect"
	line+=" GMEM_SEED=$(setting seed)"
	[[ -z $PROFILE ]] || line+=" GMEM_PROFILE=$PROFILE"
	# Only a choice has to be told: without one everything is run.
	[[ -z $only ]] || line+=" GMEM_ONLY=$(paste --serial --delimiters=, "$RUN_DIR/plan")"
	[[ $ACCEL != tcg ]] || line+=" $SLOW"
	[[ -z $(setting bench) ]] || line+=" GMEM_BENCH=1"
	[[ -z $(setting probe) ]] || line+=" GMEM_PROBE=1"
	# What the kernel would cut off would be tests that silently do not run.
	((${#line} < 2000)) || die "the kernel's command line is too long: choose fewer tests"
	echo "$line"
}

# A comma in a file name is doubled for QEMU.
escape()
{
	echo "${1//,/,,}"
}

# Results and console each have a channel; the third one is this machine's own
# QMP monitor, so that a test can resize memory.  A socket's path is short.
qemu_command()
{
	local -r sockets=$1
	local -r run=$(escape "$RUN_DIR") qmp=$(escape "$sockets/qmp")
	local words key value accel
	accel=$(data_get "$MACHINE" "$ACCEL")
	[[ -z $PROFILE || " $(data_get "$MACHINE" one-thread) " != *" $PROFILE "* ]] ||
		accel=${accel/thread=multi/thread=single}
	read -ra words <<< "$accel $(data_all "$MACHINE" arg |
		tr '\n' ' ') $(data_all "$RUN_DIR/scenario" arg | tr '\n' ' ')"
	for key in memory node-memory dimm-memory; do
		value=$(setting "$key")
		words=("${words[@]//%${key^^}%/${value:-$(data_get "$MACHINE" "$key")}}")
	done
	value=$("$GMEM_LAB/firmware.sh" --where "${MACHINE##*/}")
	words=("${words[@]//%FIRMWARE%/$value}")
	# shellcheck disable=SC2054 # the commas are QEMU's
	QEMU=("$(data_get "$MACHINE" qemu)" "${words[@]}"
		-nodefaults -display none -no-reboot
		-chardev "file,id=console,path=$run/console.log" -serial chardev:console
		-device virtio-serial-pci
		-chardev "file,id=ktap,path=$run/ktap.log"
		-device virtserialport,chardev=ktap,name=gmem.ktap
		-chardev "socket,id=monitor,path=$qmp,server=on,wait=off"
		-mon chardev=monitor,mode=control
		-chardev "socket,id=qmp,path=$qmp"
		-device virtserialport,chardev=qmp,name=gmem.qmp
		-kernel "$IMAGE" -initrd "$INITRAMFS"
		-append "$(kernel_command_line)")
	# Where a soak is told to stop.
	# shellcheck disable=SC2054 # as above
	[[ $PROFILE != soak ]] || QEMU+=(-chardev "pipe,id=stop,path=$sockets/stop"
		-device virtserialport,chardev=stop,name=gmem.stop)
}

# On one line, and so that a shell takes it back.
quoted_command()
{
	echo "${QEMU[*]@Q}" | sed "s/'\([A-Za-z0-9_./:,=+-]*\)'/\1/g"
}

# Machines that share CPUs on equal terms keep each other's locks waiting, and take
# longer together than one after the other.  Of those that run side by side, by their
# GMEM_SLOT, the ones for which there are no CPUs get what the others leave.
scheduling()
{
	((${GMEM_SLOT:-0} < ($(nproc) + 1) / 2)) && echo --other || echo --idle
}

ktap_has()
{
	grep --quiet --text "^# gmem-lab: $1" "$RUN_DIR/ktap.log" 2> /dev/null
}

# Which bound the machine broke, if any: MARK is the second of its last step.
overdue()
{
	local -r waited=$((SECONDS - MARK))

	case $STATE in
	boot) ((waited > BOOT)) && echo boot ;;
	run) ((waited > RUN)) && echo run ;;
	off) ((waited > OFF_TIMEOUT)) && echo run ;;
	esac
}

follow_state()
{
	if [[ $STATE == boot ]] && ktap_has start; then
		STATE=run MARK=$SECONDS
	fi
	if [[ $STATE == run ]] && ktap_has "done"; then
		STATE=off MARK=$SECONDS
	fi
}

# A soak's signs of life go to the user; whoever asked for its end is obeyed once.
follow_soak()
{
	local line

	while IFS= read -r line <&"$KTAP"; do
		[[ $line == *"# HEARTBEAT "* || $line == *"# SUMMARY "* ]] || continue
		MARK=$SECONDS
		clear_progress
		say "  ${line##*# }"
	done
	if [[ -e $RUN_DIR/stop ]] && ktap_has start; then
		rm "$RUN_DIR/stop"
		echo stop > "$SOCKETS/stop.in"
	fi
}

watch_machine()
{
	local -r label=$1 start=$SECONDS
	local late

	STATE=boot MARK=$SECONDS HEARTBEAT=0
	while kill -0 "$CHILD" 2> /dev/null; do
		follow_state
		[[ $PROFILE != soak ]] || follow_soak
		if late=$(overdue); then
			echo "$late" > "$RUN_DIR/watchdog"
			kill -KILL "$CHILD"
			break
		fi
		[[ $PROFILE == soak && $STATE != boot ]] ||
			show_progress "$label" $((SECONDS - start)) "$(count_results)"
		sleep 0.2
	done
	clear_progress
}

boot()
{
	local -r scheduling=$(scheduling)
	local status=0

	[[ $scheduling == --other ]] || BOOT=$((BOOT * LEFTOVERS)) RUN=$((RUN * LEFTOVERS))
	: > "$RUN_DIR/ktap.log"
	if [[ $PROFILE == soak ]]; then
		mkfifo "$SOCKETS/stop.in" "$SOCKETS/stop.out"
		exec {KTAP}< "$RUN_DIR/ktap.log"
	fi
	CHILD_DIES_BY=KILL start_child chrt "$scheduling" 0 "${QEMU[@]}" \
		> "$RUN_DIR/qemu.out" 2> "$RUN_DIR/qemu.err"
	watch_machine "running the $(setting kernel) kernel ($ACCEL), programs"
	wait "$CHILD" 2> /dev/null || status=$?
	CHILD=
	[[ -s $RUN_DIR/qemu.out ]] || rm "$RUN_DIR/qemu.out"
	echo "$status" > "$RUN_DIR/qemu.exit"
}

main()
{
	local dry_run=false

	[[ ${1:-} != --dry-run ]] || { dry_run=true; shift; }
	(($# == 3)) || die "usage: lab/boot.sh [--dry-run] RUN_DIR IMAGE INITRAMFS"
	RUN_DIR=$(realpath "$1") IMAGE=$2 INITRAMFS=$3
	MACHINE=$GMEM_LAB/machines/$(setting arch) ACCEL=$(setting accel)
	BOOT=$(setting boot-timeout) RUN=$(setting timeout)
	PROFILE=$(setting profile)
	BOOT=${BOOT:-$BOOT_TIMEOUT} RUN=${RUN:-$RUN_TIMEOUT}
	case $PROFILE in
	full) RUN=$FULL_TIMEOUT ;;
	soak) RUN=$SILENCE_TIMEOUT ;;
	esac
	readonly RUN_DIR IMAGE INITRAMFS MACHINE ACCEL PROFILE
	if $dry_run; then
		qemu_command /tmp/gmem.XXXXXX
		quoted_command
		return
	fi
	SOCKETS=$(mktemp --directory /tmp/gmem.XXXXXX)
	trap 'rm -rf "$SOCKETS"' EXIT
	qemu_command "$SOCKETS"
	quoted_command > "$RUN_DIR/qemu-cmd"
	boot
}

main "$@"
