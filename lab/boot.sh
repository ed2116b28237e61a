#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Boots one kernel in QEMU, and leaves in RUN_DIR what the machine printed.
# Usage: lab/boot.sh [--dry-run] RUN_DIR IMAGE INITRAMFS
#
# RUN_DIR/scenario describes the machine, and RUN_DIR/plan lists the tests.  --dry-run only
# prints the command.  This script does not judge: where it had to kill the machine, it
# writes to RUN_DIR/watchdog whether that was in the "boot" or in the "run".

set -euo pipefail
# shellcheck source=common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"
. "$GMEM_LAB/run-dir.sh"
. "$GMEM_LAB/progress.sh"

# A panic or an oops ends the machine, because QEMU has -no-reboot.
readonly APPEND="panic=-1 oops=panic rdinit=/init"
# An emulated machine is slow, so tests stretch their timeouts, and RCU expedites every
# grace period.
readonly SLOW="KSFT_MACHINE_SLOW=1 rcupdate.rcu_expedited=1 sysctl.debug.kprobes-optimization=0"
# Seconds until the tests begin, and from there until they end; a scenario may override
# both.
readonly BOOT_TIMEOUT=60 RUN_TIMEOUT=900
# Seconds to power off, once the machine has reported its end.
readonly OFF_TIMEOUT=20
# Timeout factor at SCHED_IDLE.
readonly LEFTOVERS=4
# Seconds that a full run may take, and that a soak may be silent.
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
	# The guest runs all tests unless it is told which.
	[[ -z $only ]] || line+=" GMEM_ONLY=$(paste --serial --delimiters=, "$RUN_DIR/plan")"
	[[ $ACCEL != tcg ]] || line+=" $SLOW"
	[[ -z $(setting bench) ]] || line+=" GMEM_BENCH=1"
	[[ -z $(setting probe) ]] || line+=" GMEM_PROBE=1"
	# The kernel cuts off a longer line, and tests at its end would silently not run.
	((${#line} < 2000)) || die "the kernel's command line is too long: choose fewer tests"
	echo "$line"
}

# Doubles the commas of a file name, because QEMU separates options by single ones.
escape()
{
	echo "${1//,/,,}"
}

# Sets QEMU to the command.  Results and console each have a channel.  The third channel is
# the machine's own QMP monitor, so that a test can resize memory.  Its socket is in /tmp,
# because the path of a socket has to be short.
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
	# The host tells a soak here to stop.
	# shellcheck disable=SC2054 # the commas are QEMU's
	[[ $PROFILE != soak ]] || QEMU+=(-chardev "pipe,id=stop,path=$sockets/stop"
		-device virtserialport,chardev=stop,name=gmem.stop)
}

# Prints the command on one line that can be pasted into a shell.
quoted_command()
{
	echo "${QEMU[*]@Q}" | sed "s/'\([A-Za-z0-9_./:,=+-]*\)'/\1/g"
}

# Machines that share CPUs on equal terms take longer together than one after the other,
# because a vCPU that holds a lock is preempted while others spin.  So the machines whose
# GMEM_SLOT is beyond the CPUs of this one (a machine has two vCPUs) run at SCHED_IDLE.
scheduling()
{
	((${GMEM_SLOT:-0} < ($(nproc) + 1) / 2)) && echo --other || echo --idle
}

ktap_has()
{
	grep --quiet --text "^# gmem-lab: $1" "$RUN_DIR/ktap.log" 2> /dev/null
}

# Prints which timeout the machine exceeded and succeeds, or fails.  MARK is the second in
# which its last step began.
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

# Shows the user a soak's signs of life, and passes on the user's request to stop, once.
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
