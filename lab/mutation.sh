#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The suite's own acceptance test: a kernel with one bug at a time, each of which
# has to make a test fail of a clause that the bug breaks.
# Usage: ./run_all.sh --mutants [NAME...] [OPTION...]	(see --help)

set -euo pipefail
# shellcheck source=common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"

# Only a verdict ends in 1, whatever command fails in here.
finish()
{
	local status=$?

	[[ $status != 1 || $JUDGED == true ]] || status=2
	exit "$status"
}

bad_usage()
{
	say "$GMEM_PROG: $*"
	exit 2
}

parse_options()
{
	local option

	while (($# > 0)); do
		option=$1
		shift
		case $option in
		--sample | --repeat | --seed | --jobs | --results | --linux | --arch)
			[[ -n ${1:-} && $1 != --* ]] || bad_usage "$option needs a value; see --help"
			declare -g "OPT_${option#--}=$1"
			shift
			;;
		--mutants) ;;
		--list) MODE=list ;;
		--resume) MODE=resume ;;
		--upstream) UPSTREAM=upstream ;;
		--record) RECORD=true UPSTREAM=upstream ;;
		-*) bad_usage "'$option' makes no sense with --mutants; see --help" ;;
		*) NAMES+=("$option") ;;
		esac
	done
}

check_values()
{
	local option value

	for option in sample repeat jobs; do
		value=OPT_$option
		[[ -z ${!value} || ${!value} =~ ^[1-9][0-9]{0,3}$ ]] ||
			bad_usage "--$option wants a number from 1, not '${!value}'"
	done
	[[ $OPT_seed =~ ^[0-9]{1,18}$ ]] || bad_usage "--seed wants a number, not '$OPT_seed'"
	[[ -e $GMEM_LAB/machines/$OPT_arch ]] || bad_usage "there is no $OPT_arch machine"
	[[ -z $OPT_sample || ${#NAMES[@]} == 0 ]] ||
		bad_usage "--sample chooses mutants, so names make no sense with it"
	[[ ! -e $OPT_results || -d $OPT_results ]] ||
		bad_usage "--results '$OPT_results' is not a directory"
	"$GMEM_LAB/mutation-job" list "$OPT_arch" "${NAMES[@]}" > /dev/null || exit 2
	[[ $RECORD == false || (${#NAMES[@]} == 0 && -z $OPT_sample) ]] ||
		bad_usage "--record is for all mutants, so a choice makes no sense with it"
}

choose_sample()
{
	mapfile -t NAMES < <("$GMEM_LAB/mutation-job" sample "$OPT_arch" "$OPT_sample" "$OPT_seed")
	say "--sample $OPT_sample --seed $OPT_seed: ${NAMES[*]}"
}

# What is built once, and where it is: a scenario for all machines.
prepare()
{
	mkdir "$DIR/prepared"
	"$GMEM_LAB/build-tests.sh" --names --arch "$OPT_arch" > "$DIR/prepared/plan"
	{
		machine_says "$OPT_arch"
		cat "$GMEM_LAB/scenarios/mutation"
		printf '\n# Of this run.\narch = %s\nseed = %s\njobs = %s\n' "$OPT_arch" \
			"$OPT_seed" "$OPT_jobs"
		[[ -z $OPT_linux ]] || echo "linux = $OPT_linux"
	} > "$DIR/prepared/scenario"
	run_child "$GMEM_LAB/scenario.sh" prepare "$DIR/prepared"
	[[ ! -e $DIR/prepared/not-run ]] || exit 2
	# Tried once, and not by each of the machines that begin together.
	run_child "$GMEM_LAB/probe-kvm.sh" "$OPT_arch" \
		"$(data_get "$DIR/prepared/scenario" boot-image)" \
		"$(data_get "$DIR/prepared/scenario" initramfs)" > /dev/null
}

begin()
{
	DIR=$(realpath --canonicalize-missing "$OPT_results")/mutation-$(date +%Y%m%d-%H%M%S)
	mkdir -p "$DIR" 2> /dev/null || bad_usage "--results '$OPT_results' cannot be written to"
	prepare
	printf '%s\n' "arch = $OPT_arch" "seed = $OPT_seed" "repeat = $OPT_repeat" > "$DIR/options"
	"$GMEM_LAB/mutation-job" queue "$DIR" "$OPT_arch" "$OPT_jobs" "$OPT_repeat" "$OPT_seed" \
		"$UPSTREAM" "${NAMES[@]}"
	touch "$DIR/began"
}

# The newest run that was begun and has no table yet.
resume()
{
	local dir

	for dir in "$OPT_results"/mutation-*; do
		[[ ! -e $dir/began || -e $dir/score.json ]] || DIR=$(realpath "$dir")
	done
	[[ -n $DIR ]] || bad_usage "there is no interrupted run of --mutants in $OPT_results"
	say "going on with $DIR"
}

# all_of LIST ACTION: what LIST names, side by side, as many as there are jobs.
all_of()
{
	run_child xargs --arg-file="$DIR/$1" --delimiter='\n' --max-args=1 --no-run-if-empty \
		--max-procs="$OPT_jobs" --process-slot-var=GMEM_SLOT \
		setpriv --pdeathsig TERM -- "$GMEM_LAB/mutation-job" "$2" || :
}

run()
{
	local status=0

	all_of lanes lane
	all_of after run
	all_of upstream run
	"$GMEM_LAB/mutation-job" table "$DIR" || status=$?
	[[ $RECORD == false ]] || cp "$DIR/score.md" "$GMEM_ROOT/docs/mutation-score.md"
	say "results: $DIR"
	JUDGED=true
	exit "$status"
}

main()
{
	NAMES=() MODE=run UPSTREAM=none RECORD=false JUDGED=false DIR=
	OPT_sample='' OPT_repeat=1 OPT_linux='' OPT_seed=$((RANDOM * 32768 + RANDOM))
	OPT_jobs=$(nproc) OPT_results=$GMEM_ROOT/results OPT_arch=$(host_arch)
	trap finish EXIT
	parse_options "$@"
	check_values
	[[ -z $OPT_sample ]] || choose_sample
	case $MODE in
	list) "$GMEM_LAB/mutation-job" list "$OPT_arch" "${NAMES[@]}" ;;
	resume) resume; run ;;
	run)
		run_child "$GMEM_LAB/packages.sh" --arch "$OPT_arch"
		begin
		run
		;;
	esac
}

main "$@"
