#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Boots kernels in virtual machines, runs every guest_memfd test in them, and says of each
# kernel whether it keeps the contract.
# Usage: ./run_all.sh [OPTION...]	(see --help)

set -euo pipefail
# shellcheck source=lab/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lab/common.sh"
. "$GMEM_ROOT/lab/children.sh"
. "$GMEM_ROOT/lab/options.sh"
. "$GMEM_ROOT/lab/runs.sh"

OPTIONS+=(
	[--kernel]=KERNELS+=
	[--tree]=TREE=
	[--expect]=EXPECT=
	[--profile]=PROFILE=
	[--only]=ONLY=
	[--scenario]=SCENARIOS+=
	[--list-scenarios]=MODE=list-scenarios
	[--dry-run]=MODE=dry-run
	[--host]=HOST=true
	[--i-know-this-moves-memory]=CONSENT=true
	[--bisect]=BISECT=--bisect
)
KERNELS=() TREE='' EXPECT='' PROFILE='' ONLY='' SCENARIOS=() HOST=false CONSENT=false BISECT=()

other_argument()
{
	[[ $1 == -* ]] || bad_usage "unexpected argument '$1'; see --help"
	bad_usage "unknown option '$1'; see --help"
}

# Prints the name of a run's directory in DIR: KERNEL or KERNEL-SCENARIO, with a number
# where two images have one name.
run_name()
{
	local -r kernel=${1#* } scenario=${1%% *} dir=$2
	local name=${kernel##*/} number=1

	name=${name//[^A-Za-z0-9._-]/_}${scenario:+-$scenario}
	while [[ -e $dir/$name$( ((number == 1)) || echo "-$number") ]]; do
		((++number))
	done
	((number == 1)) || name+=-$number
	echo "$name"
}

# Makes the directory of a run, and puts its scenario together: the settings of the
# machine, the kernel's file, the file of the scenario that was asked for, and the options.
# A later line overrides an earlier one.
write_scenario()
{
	local -r kernel=${1#* } scenario=${1%% *} run_dir=$2
	local base=$kernel image=

	[[ $kernel != */* ]] || base=image image=$(realpath "$kernel")
	mkdir "$run_dir"
	printf '%s\n' "${PLAN[@]}" > "$run_dir/plan"
	{
		[[ $HOST == true ]] || machine_settings "$ARCH"
		scenario_text "$base"
		[[ -z $scenario ]] || printf '\n# --scenario %s\n' "$scenario"
		[[ -z $scenario ]] || scenario_text "$scenario"
		option_settings
		[[ -z $EXPECT ]] || echo "expect = $EXPECT"
		[[ -z $ONLY ]] || echo "only = $ONLY"
		[[ -z $PROFILE ]] || echo "profile = $PROFILE"
		[[ -z $TREE ]] || echo "tree = $TREE"
		[[ -z $image ]] || printf 'kernel = %s\nimage = %s\n' "$image" "$image"
	} > "$run_dir/scenario"
}

# Prints what would be run; what --dry-run has to write goes to a directory that is removed.
dry_run()
{
	local run run_dir text
	SCRATCH=$(mktemp --directory /tmp/gmem.XXXXXX)

	for run in "${RUNS[@]}"; do
		run_dir=$SCRATCH/$(run_name "$run" "$SCRATCH")
		write_scenario "$run" "$run_dir"
		text=$("$GMEM_LAB/scenario.sh" dry-run "$run_dir")
		echo "${text//"$SCRATCH"/$(realpath --canonicalize-missing "$RESULTS")/$STAMP}"
	done
}

# Makes a directory for the results, also when another run began in the same second.
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

# The first Ctrl-C ends a soak, which still gets a verdict; the second one ends this script.
ask_to_stop()
{
	local run_dir

	trap 'stopped 130' INT
	trap 'stopped 143' TERM
	say "$GMEM_PROG: stopping; interrupt again to stop without a verdict"
	while IFS= read -r run_dir; do
		touch "$run_dir/stop"
	done < "$DIR/runs"
}

# Does what run_child() does, but goes on waiting after a signal that is trapped.
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

# Prints the run directories in the order in which they begin: the longest runs come first,
# which are those in which guest_memfd may have to move.
longest_first()
{
	local run_dir
	local last=()

	for run_dir; do
		if [[ $(data_get "$run_dir/scenario" expect) == unmovable ]]; then
			last+=("$run_dir")
		else
			echo "$run_dir"
		fi
	done
	printf '%s' "${last[@]/%/$'\n'}"
}

# Builds for one run after the other, then runs as many machines side by side as there are
# jobs.  The summary decides the exit status.
run()
{
	local run run_dir status=0 runner=run_child
	local run_dirs=()

	make_results
	for run in "${RUNS[@]}"; do
		run_dir=$DIR/$(run_name "$run" "$DIR")
		run_dirs+=("$run_dir")
		write_scenario "$run" "$run_dir"
		run_child "$GMEM_LAB/scenario.sh" prepare "$run_dir"
	done
	((${#run_dirs[@]} == 1)) || export GMEM_PLAIN=1
	longest_first "${run_dirs[@]}" > "$DIR/runs"
	[[ $PROFILE != soak ]] || runner=run_soak
	"$runner" xargs --arg-file="$DIR/runs" --delimiter='\n' --max-args=1 \
		--max-procs="$JOBS" --process-slot-var=GMEM_SLOT \
		setpriv --pdeathsig TERM -- "$GMEM_LAB/scenario.sh" run || :
	"$GMEM_LAB/summary" "${BISECT[@]}" "${run_dirs[@]}" || status=$?
	JUDGED=true
	exit "$status"
}

main()
{
	STAMP=$(date +%Y%m%d-%H%M%S) DIR=
	# Mutation testing is another kind of run, with options of its own.
	[[ " $* " != *" --mutants "* ]] || exec "$GMEM_LAB/mutation.sh" "$@"
	trap finish EXIT
	# A bad option before --bisect has to end in 125 as well.
	[[ " $* " != *" --bisect "* ]] || FAILURE=125

	parse_options "$@"
	check_scenarios
	check_values
	check_choices
	[[ -z $TREE ]] || check_tree
	[[ $PROFILE != soak ]] || ONLY=$SOAK_TEST
	choose_kernels
	choose_runs
	! type -P make > /dev/null || choose_tests
	case $MODE in
	list) printf '%s\n' "${PLAN[@]}" ;;
	list-scenarios) list_scenarios ;;
	dry-run) dry_run ;;
	run)
		run_child "$GMEM_LAB/packages.sh" --arch "$ARCH"
		choose_tests
		run
		;;
	esac
}

main "$@"
