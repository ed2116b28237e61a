#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Boots kernels in virtual machines, runs every guest_memfd test in them, and
# says for each whether it keeps the contract.
# Usage: ./run_all.sh [OPTION...]	(see --help)

set -euo pipefail
# shellcheck source=lab/common.sh
. "${BASH_SOURCE[0]%/*}/lab/common.sh"

readonly KNOWN_POLICIES="unmovable optin implicit auto"
readonly KNOWN_PROFILES="gate full soak"
# What a soak is made of.
readonly SOAK_TEST=guest_memfd:under_pressure_test

# Only a verdict may end in 1, whatever command fails in here; and to git bisect
# an exit status of 2 would mean a bad commit.
finish()
{
	local status=$?

	[[ -z $SCRATCH ]] || rm -rf "$SCRATCH"
	[[ $status != [12] || $JUDGED == true ]] || status=$FAILURE
	exit "$status"
}

bad_usage()
{
	say "$GMEM_PROG: $*"
	exit 2
}

parse_options()
{
	local option value

	while (($# > 0)); do
		option=$1 value=
		shift
		case $option in
		--kernel | --tree | --policy | --profile | --linux | --arch | --only | --seed | \
		--results | --jobs)
			[[ -n ${1:-} && $1 != --* ]] || bad_usage "$option needs a value; see --help"
			value=$1
			shift
			;;
		esac
		case $option in
		--kernel) KERNELS+=("$value") ;;
		--tree) TREE=$value ;;
		--policy) POLICY=$value ;;
		--profile) PROFILE=$value ;;
		--linux) LINUX=$value ;;
		--arch) ARCH=$value ;;
		--only) ONLY=$value ;;
		--seed) SEED=$value ;;
		--results) RESULTS=$value ;;
		--jobs) JOBS=$value ;;
		--list | --dry-run) MODE=${option#--} ;;
		--host) HOST=true ;;
		--i-know-this-moves-memory) CONSENT=true ;;
		--bisect) ;;
		--help | -h) cat "$GMEM_LAB/usage.txt"; exit 0 ;;
		-*) bad_usage "unknown option '$option'; see --help" ;;
		*) bad_usage "unexpected argument '$option'; see --help" ;;
		esac
	done
}

check_values()
{
	local -r places=$GMEM_ROOT$GMEM_CACHE

	[[ $places != *[[:space:]:]* ]] ||
		bad_usage "make cannot build where a directory's name has a space or a colon: $GMEM_ROOT, $GMEM_CACHE"
	[[ $ARCH =~ ^(x86_64|arm64)$ ]] || bad_usage "unknown architecture '$ARCH'; known: x86_64"
	[[ -e $GMEM_LAB/machines/$ARCH ]] || bad_usage "there is no $ARCH machine yet; known: x86_64"
	[[ -z $POLICY || " $KNOWN_POLICIES " == *" $POLICY "* ]] ||
		bad_usage "unknown policy '$POLICY'; known: $KNOWN_POLICIES"
	[[ -z $PROFILE || " $KNOWN_PROFILES " == *" $PROFILE "* ]] ||
		bad_usage "unknown profile '$PROFILE'; known: $KNOWN_PROFILES"
	[[ $PROFILE != soak || -z $ONLY ]] ||
		bad_usage "--profile soak runs ${SOAK_TEST#*:} alone, so --only makes no sense with it"
	[[ $SEED =~ ^[0-9]{1,18}$ ]] || bad_usage "--seed wants a number, not '$SEED'"
	[[ $JOBS =~ ^[1-9][0-9]{0,3}$ ]] || bad_usage "--jobs wants a number from 1, not '$JOBS'"
	[[ -z $LINUX || $LINUX =~ ^[0-9]{1,4}\.[0-9]{1,4}$ ]] ||
		bad_usage "--linux wants a version like 7.3, not '$LINUX'"
	[[ -z $LINUX ]] || ((${LINUX%.*} * 10000 + 10#${LINUX#*.} >= 70002)) ||
		bad_usage "--linux wants 7.2 or later, not '$LINUX'"
	[[ ! -e $RESULTS || -d $RESULTS ]] || bad_usage "--results '$RESULTS' is not a directory"
	[[ $MODE != run ]] || writable "$RESULTS" || bad_usage "--results '$RESULTS' cannot be written to"
}

# DIR, or what would have to hold it.
writable()
{
	local dir
	dir=$(realpath --canonicalize-missing "$1")

	while [[ ! -e $dir ]]; do
		dir=$(dirname "$dir")
	done
	[[ -d $dir && -w $dir ]]
}

check_tree()
{
	[[ -d $TREE ]] || bad_usage "--tree '$TREE' is not a directory"
	[[ -f $TREE/Kbuild && -f $TREE/scripts/kconfig/merge_config.sh && -d $TREE/virt/kvm ]] ||
		bad_usage "--tree '$TREE' is not a kernel tree"
	TREE=$(realpath "$TREE")
}

# A kernel image is known by a few bytes of its header.
check_image()
{
	local -r image=$1
	local offset magic

	[[ -e $image ]] || bad_usage "--kernel '$image' is neither stock, reference nor a file"
	[[ -f $image && -r $image ]] || bad_usage "--kernel '$image' is not a file that can be read"
	read -r offset magic <<< "$(data_get "$GMEM_LAB/machines/$ARCH" magic)"
	[[ $(od --address-radix=n --format=x1 --skip-bytes="$offset" --read-bytes=4 "$image" \
		2> /dev/null | tr -d ' \n') == "$magic" ]] ||
		bad_usage "--kernel '$image' is not a kernel image for $ARCH"
}

check_host()
{
	((${#KERNELS[@]} == 0)) || bad_usage "--host tests the running kernel, so --kernel makes no sense with it"
	[[ $ARCH == "$(uname -m)" ]] || bad_usage "--host cannot test $ARCH on a $(uname -m) machine"
	[[ $MODE == run ]] || return 0
	((EUID == 0)) || bad_usage "--host has to be run as root"
	[[ -r /dev/kvm && -w /dev/kvm ]] || bad_usage "--host needs /dev/kvm"
	[[ $CONSENT == true ]] ||
		bad_usage "--host moves and offlines this machine's memory; say --i-know-this-moves-memory if it may"
}

choose_kernels()
{
	local kernel

	if [[ $HOST == true ]]; then
		check_host
		KERNELS=(host)
		return
	fi
	[[ $CONSENT == false ]] || bad_usage "--i-know-this-moves-memory makes sense with --host only"
	for kernel in "${KERNELS[@]}"; do
		[[ $kernel == stock || $kernel == reference ]] || check_image "$kernel"
	done
	if [[ -n $TREE ]]; then
		KERNELS+=(tree)
	elif ((${#KERNELS[@]} == 0)); then
		KERNELS=(stock reference)
		[[ $PROFILE != soak ]] || KERNELS=(reference)
	fi
}

choose_tests()
{
	local name

	# Without make there is a list once the packages are installed.
	type -P make > /dev/null || [[ $MODE == run ]] || die "make is missing; see lab/packages.sh"
	PLAN=()
	while IFS= read -r name; do
		# shellcheck disable=SC2053 # a pattern it is
		[[ -n $ONLY && $name != $ONLY && ${name#*:} != $ONLY ]] || PLAN+=("$name")
	done < <("$GMEM_LAB/tests.sh" --names)
	((${#PLAN[@]} > 0)) || bad_usage "no test matches '${ONLY:-*}'; see --list"
}

# The directory that a kernel's results go to; two images may have one name.
run_name()
{
	local -r kernel=${1##*/} dir=$2
	local name=${kernel//[^A-Za-z0-9._-]/_} number=1

	while [[ -e $dir/$name ]]; do
		name=${kernel//[^A-Za-z0-9._-]/_}-$((++number))
	done
	echo "$name"
}

# The scenario that is in force: its file, and what the options add to it.
write_scenario()
{
	local -r kernel=$1 run_dir=$2
	local base=$kernel image=

	[[ -e $GMEM_LAB/scenarios/$kernel ]] || base=image image=$(realpath "$kernel")
	mkdir "$run_dir"
	printf '%s\n' "${PLAN[@]}" > "$run_dir/plan"
	{
		cat "$GMEM_LAB/scenarios/$base"
		printf '\n# Of this run.\narch = %s\nseed = %s\njobs = %s\n' "$ARCH" "$SEED" "$JOBS"
		[[ -z $POLICY ]] || echo "policy = $POLICY"
		[[ -z $ONLY ]] || echo "only = $ONLY"
		[[ -z $PROFILE ]] || echo "profile = $PROFILE"
		[[ -z $LINUX ]] || echo "linux = $LINUX"
		[[ -z $TREE ]] || echo "tree = $TREE"
		[[ -z $image ]] || printf 'kernel = %s\nimage = %s\n' "$image" "$image"
	} > "$run_dir/scenario"
}

dry_run()
{
	local kernel run_dir text
	SCRATCH=$(mktemp --directory /tmp/gmem.XXXXXX)

	for kernel in "${KERNELS[@]}"; do
		run_dir=$SCRATCH/$(run_name "$kernel" "$SCRATCH")
		write_scenario "$kernel" "$run_dir"
		text=$("$GMEM_LAB/scenario.sh" dry-run "$run_dir")
		echo "${text//"$SCRATCH"/$(realpath --canonicalize-missing "$RESULTS")/$STAMP}"
	done
}

# A directory of this run's own, even if another one began in the same second.
make_results()
{
	local number=1

	mkdir -p "$RESULTS" 2> /dev/null || bad_usage "--results '$RESULTS' cannot be written to"
	DIR=$RESULTS/$STAMP
	until mkdir "$DIR" 2> /dev/null; do
		((++number < 100)) || die "$DIR cannot be made"
		DIR=$RESULTS/$STAMP-$number
	done
	ln --symbolic --force --no-dereference "${DIR##*/}" "$RESULTS/latest"
}

# The first Ctrl-C ends a soak, which has a verdict even so; another one ends us.
ask_to_stop()
{
	local run_dir

	trap 'stopped 130' INT
	trap 'stopped 143' TERM
	say "$GMEM_PROG: stopping; once more to stop without a verdict"
	while IFS= read -r run_dir; do
		touch "$run_dir/stop"
	done < "$DIR/runs"
}

# As run_child, save that a signal that is trapped does not end the wait.
run_soak()
{
	local status=0

	trap ask_to_stop INT TERM
	start_child "$@"
	while status=0; wait "$CHILD" || status=$?; kill -0 "$CHILD" 2> /dev/null; do
		:
	done
	CHILD=
	return "$status"
}

# Builds one after the other, lets the machines run side by side, as many as jobs
# are allowed; the summary has the last word, and the exit status.
run()
{
	local kernel run_dir status=0 runner=run_child
	local run_dirs=()

	make_results
	for kernel in "${KERNELS[@]}"; do
		run_dir=$DIR/$(run_name "$kernel" "$DIR")
		run_dirs+=("$run_dir")
		write_scenario "$kernel" "$run_dir"
		run_child "$GMEM_LAB/scenario.sh" prepare "$run_dir"
	done
	((${#run_dirs[@]} == 1)) || export GMEM_PLAIN=1
	printf '%s\n' "${run_dirs[@]}" > "$DIR/runs"
	[[ $PROFILE != soak ]] || runner=run_soak
	"$runner" xargs --arg-file="$DIR/runs" --delimiter='\n' --max-args=1 \
		--max-procs="$JOBS" setpriv --pdeathsig TERM -- "$GMEM_LAB/scenario.sh" run || :
	"$GMEM_LAB/summary" "${BISECT[@]}" "${run_dirs[@]}" || status=$?
	JUDGED=true
	exit "$status"
}

main()
{
	KERNELS=() TREE='' POLICY='' PROFILE='' LINUX='' ARCH=$(uname -m) ONLY=''
	SEED=$((RANDOM * 32768 + RANDOM)) RESULTS=$GMEM_ROOT/results JOBS=$(nproc)
	MODE=run HOST=false CONSENT=false BISECT=() FAILURE=2 JUDGED=false SCRATCH=''
	STAMP=$(date +%Y%m%d-%H%M%S) DIR=
	# Another kind of run, with options of its own.
	[[ " $* " != *" --mutants "* ]] || exec "$GMEM_LAB/mutants.sh" "$@"
	trap finish EXIT
	[[ " $* " != *" --bisect "* ]] || BISECT=(--bisect) FAILURE=125

	parse_options "$@"
	check_values
	[[ -z $TREE ]] || check_tree
	[[ $PROFILE != soak ]] || ONLY=$SOAK_TEST
	choose_kernels
	! type -P make > /dev/null || choose_tests
	case $MODE in
	list) printf '%s\n' "${PLAN[@]}" ;;
	dry-run) dry_run ;;
	run)
		run_child "$GMEM_LAB/packages.sh"
		choose_tests
		run
		;;
	esac
}

main "$@"
