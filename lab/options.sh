# shellcheck shell=bash disable=SC2034 # the scripts that read this use the names
# SPDX-License-Identifier: GPL-2.0-only
#
# The options of run_all.sh and of its --mutants part: one parser, the values that both
# know, and the exit status.
# Usage: . "$GMEM_LAB/options.sh", after common.sh
#	OPTIONS+=([--tree]=TREE= [--host]=HOST=true)
#	other_argument() { bad_usage "unknown option '$1'"; }
#	trap finish EXIT
#	parse_options "$@"
#	check_values
#
# OPTIONS says what an option assigns: "NAME=" takes a value and the last one counts,
# "NAME+=" collects the values of an option that may be repeated, "NAME=WORD" takes no
# value.  An option may have several words of the last kind, or none.

. "$GMEM_LAB/machine.sh"

declare -A OPTIONS=(
	[--arch]=ARCH=
	[--linux]=LINUX=
	[--seed]=SEED=
	[--results]=RESULTS=
	[--jobs]=JOBS=
	[--list]=MODE=list
)
ARCH='' LINUX='' RESULTS=$GMEM_ROOT/results JOBS=$(nproc) MODE=run
SEED=$((RANDOM * 32768 + RANDOM))

# finish() exits with FAILURE where the lab failed.  JUDGED is true once the exit status is a
# verdict.  SCRATCH is a directory that finish() removes.
FAILURE=2 JUDGED=false SCRATCH=''

# Exit status 1 is reserved for a verdict, so a command that fails in a script of the lab
# must not end it with 1; and git bisect would take 2 for a bad commit.
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
	local option value assignment

	while (($# > 0)); do
		option=$1
		shift
		if [[ $option == --help || $option == -h ]]; then
			cat "$GMEM_LAB/usage.txt"
			exit 0
		fi
		if [[ $option != -* || -z ${OPTIONS[$option]+known} ]]; then
			other_argument "$option"
			continue
		fi
		if [[ ${OPTIONS[$option]} == *= ]]; then
			[[ -n ${1:-} && $1 != -* ]] || bad_usage "$option needs a value; see --help"
			value=$1
			shift
		fi
		for assignment in ${OPTIONS[$option]}; do
			assign "$assignment"
		done
	done
}

# Carries out one word of OPTIONS, with the value that parse_options() has read.
assign()
{
	local -r name=${1%%[+=]*}

	if [[ $1 == *+= ]]; then
		local -n list=$name
		list+=("$value")
	elif [[ $1 == *= ]]; then
		printf -v "$name" %s "$value"
	else
		printf -v "$name" %s "${1#*=}"
	fi
}

known_architectures()
{
	(cd "$GMEM_LAB/machines" && echo *)
}

# Prints what these options say, as lines of a scenario.
option_settings()
{
	printf '\n# The options of this run\narch = %s\nseed = %s\njobs = %s\n' "$ARCH" "$SEED" "$JOBS"
	[[ -z $LINUX ]] || echo "linux = $LINUX"
}

# Checks the values that both commands know; ARCH has been chosen by now.
check_values()
{
	local -r places=$GMEM_ROOT$GMEM_CACHE

	[[ $places != *[[:space:]:]* ]] ||
		bad_usage "make cannot build where a directory's name has a space or a colon: $GMEM_ROOT, $GMEM_CACHE"
	one_of "$ARCH" "$(known_architectures)" ||
		bad_usage "unknown architecture '$ARCH'; known: $(known_architectures)"
	[[ $ARCH == "$(host_arch)" || -n $(data_get "$GMEM_LAB/machines/$ARCH" cross) ]] ||
		bad_usage "there is no cross-compiler for $ARCH on a $(uname -m) machine"
	[[ $SEED =~ ^[0-9]{1,18}$ ]] || bad_usage "--seed wants a number, not '$SEED'"
	check_count --jobs "$JOBS"
	[[ -z $LINUX || $LINUX =~ ^[0-9]{1,4}\.[0-9]{1,4}$ ]] ||
		bad_usage "--linux wants a version like 7.3, not '$LINUX'"
	[[ -z $LINUX ]] || ((10#${LINUX%.*} * 10000 + 10#${LINUX#*.} >= 70002)) ||
		bad_usage "--linux wants 7.2 or later, not '$LINUX'"
	[[ ! -e $RESULTS || -d $RESULTS ]] || bad_usage "--results '$RESULTS' is not a directory"
	[[ $MODE == run || $MODE == resume ]] || return 0
	writable "$RESULTS" || bad_usage "--results '$RESULTS' cannot be written to"
	writable "$GMEM_CACHE" ||
		bad_usage "the cache '$GMEM_CACHE' cannot be written to; XDG_CACHE_HOME moves it"
}

# one_of WORD LIST: succeeds if WORD is one word of LIST; two words in a row are none.
one_of()
{
	[[ $1 != *[[:space:]]* && " $2 " == *" $1 "* ]]
}

# check_count OPTION VALUE: refuses what is not a number from 1 to 9999.
check_count()
{
	[[ $2 =~ ^[1-9][0-9]{0,3}$ ]] || bad_usage "$1 wants a number from 1, not '$2'"
}

# Succeeds if DIR, or its nearest parent that exists, is a directory that we may write to.
writable()
{
	local dir
	dir=$(realpath --canonicalize-missing "$1")

	while [[ ! -e $dir ]]; do
		dir=$(dirname "$dir")
	done
	[[ -d $dir && -w $dir ]]
}
