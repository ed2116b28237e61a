#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The acceptance test of the suite itself: it boots a kernel with one bug at a time, and
# each bug has to make a test fail on a clause that the bug breaks.
# Usage: ./run_all.sh --mutants [NAME...] [OPTION...]	(see --help)

set -euo pipefail
# shellcheck source=common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"
. "$GMEM_LAB/children.sh"
. "$GMEM_LAB/options.sh"
. "$GMEM_LAB/scenario-files.sh"

OPTIONS+=(
	[--mutants]=''
	[--sample]=SAMPLE=
	[--repeat]=REPEAT=
	[--resume]=MODE=resume
	[--upstream]=UPSTREAM=upstream
	[--record]='RECORD=true UPSTREAM=upstream'
)
SAMPLE='' REPEAT=1 UPSTREAM=none RECORD=false NAMES=() DIR=''

other_argument()
{
	[[ $1 != -* ]] || bad_usage "'$1' makes no sense with --mutants; see --help"
	NAMES+=("$1")
}

check_choices()
{
	[[ -z $SAMPLE ]] || check_count --sample "$SAMPLE"
	check_count --repeat "$REPEAT"
	[[ -z $SAMPLE || ${#NAMES[@]} == 0 ]] ||
		bad_usage "--sample chooses mutants, so names make no sense with it"
	"$GMEM_LAB/mutation-job" list "$ARCH" "${NAMES[@]}" > /dev/null || exit 2
	[[ $RECORD == false || (${#NAMES[@]} == 0 && -z $SAMPLE) ]] ||
		bad_usage "--record is for all mutants, so a choice makes no sense with it"
	[[ $MODE != resume || (${#NAMES[@]} == 0 && -z $SAMPLE) ]] ||
		bad_usage "--resume goes on with the mutants of that run, so a choice makes no sense with it"
}

# Sets NAMES to as many mutants as --sample asks for, and shows which ones.
choose_sample()
{
	mapfile -t NAMES < <("$GMEM_LAB/mutation-job" sample "$ARCH" "$SAMPLE" "$SEED")
	say "--sample $SAMPLE --seed $SEED: ${NAMES[*]}"
}

# Builds once what all machines boot, and says in DIR/prepared/scenario where it is.
prepare()
{
	mkdir "$DIR/prepared"
	"$GMEM_LAB/build-tests.sh" --names --arch "$ARCH" > "$DIR/prepared/plan"
	{
		machine_settings "$ARCH"
		scenario_text mutation
		option_settings
	} > "$DIR/prepared/scenario"
	run_child "$GMEM_LAB/scenario.sh" prepare "$DIR/prepared"
	[[ ! -e $DIR/prepared/not-run ]] || exit 2
	# Fill the cache of probe-kvm.sh now, or each of the first machines would probe.
	run_child "$GMEM_LAB/probe-kvm.sh" "$ARCH" \
		"$(data_get "$DIR/prepared/scenario" boot-image)" \
		"$(data_get "$DIR/prepared/scenario" initramfs)" > /dev/null
}

begin()
{
	DIR=$(realpath --canonicalize-missing "$RESULTS")/mutation-$(date +%Y%m%d-%H%M%S)
	mkdir -p "$DIR" 2> /dev/null || bad_usage "--results '$RESULTS' cannot be written to"
	prepare
	printf '%s\n' "arch = $ARCH" "seed = $SEED" "repeat = $REPEAT" \
		"record = $RECORD" > "$DIR/options"
	"$GMEM_LAB/mutation-job" queue "$DIR" "$ARCH" "$JOBS" "$REPEAT" "$SEED" \
		"$UPSTREAM" "${NAMES[@]}"
	touch "$DIR/began"
}

# Sets DIR to the newest run that has begun and has no table yet.
resume()
{
	local dir

	for dir in "$RESULTS"/mutation-*; do
		[[ ! -e $dir/began || -e $dir/score.json ]] || DIR=$(realpath "$dir")
	done
	[[ -n $DIR ]] || bad_usage "there is no interrupted run of --mutants in $RESULTS"
	[[ $RECORD == false || $(data_get "$DIR/options" record) == true ]] ||
		bad_usage "the interrupted run is not one of --record, so $DIR cannot be recorded"
	say "resuming $DIR"
}

# all_of LIST ACTION: does ACTION for every line of DIR/LIST, as many side by side as there
# are jobs.
all_of()
{
	run_child xargs --arg-file="$DIR/$1" --delimiter='\n' --max-args=1 --no-run-if-empty \
		--max-procs="$JOBS" --process-slot-var=GMEM_SLOT \
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
	trap finish EXIT
	parse_options "$@"
	ARCH=${ARCH:-$(host_arch)}
	check_values
	check_choices
	[[ -z $SAMPLE ]] || choose_sample
	case $MODE in
	list) "$GMEM_LAB/mutation-job" list "$ARCH" "${NAMES[@]}" ;;
	resume) resume; run ;;
	run)
		run_child "$GMEM_LAB/packages.sh" --arch "$ARCH"
		begin
		run
		;;
	esac
}

main "$@"
