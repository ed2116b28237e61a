# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The runs that run_all.sh was asked for, and whether they make sense.
# Usage: . "$GMEM_LAB/runs.sh", after options.sh, by run_all.sh alone
#
# A run is "SCENARIO KERNEL".  The scenario may be empty: the kernel's own file in
# lab/scenarios always applies, and a named scenario adds to it.

. "$GMEM_LAB/scenario-files.sh"

readonly KNOWN_EXPECTATIONS="unmovable optin implicit auto"
readonly KNOWN_PROFILES="gate full soak"
# The only test of a soak.
readonly SOAK_TEST=guest_memfd:under_pressure_test

check_choices()
{
	[[ -z $EXPECT ]] || one_of "$EXPECT" "$KNOWN_EXPECTATIONS" ||
		bad_usage "unknown expectation '$EXPECT'; known: $KNOWN_EXPECTATIONS"
	[[ -z $PROFILE ]] || one_of "$PROFILE" "$KNOWN_PROFILES" ||
		bad_usage "unknown profile '$PROFILE'; known: $KNOWN_PROFILES"
	[[ $PROFILE != soak || -z $ONLY ]] ||
		bad_usage "--profile soak runs ${SOAK_TEST#*:} alone, so --only makes no sense with it"
}

check_tree()
{
	[[ -d $TREE ]] || bad_usage "--tree '$TREE' is not a directory"
	[[ -f $TREE/Kbuild && -f $TREE/scripts/kconfig/merge_config.sh && -d $TREE/virt/kvm ]] ||
		bad_usage "--tree '$TREE' is not a kernel tree"
	TREE=$(realpath "$TREE")
}

# Refuses a file that does not have the few bytes by which a kernel image of ARCH is known.
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
	[[ $ARCH == "$(host_arch)" ]] || bad_usage "--host cannot test $ARCH on a $(uname -m) machine"
	[[ $MODE == run ]] || return 0
	((EUID == 0)) || bad_usage "--host has to be run as root"
	[[ -r /dev/kvm && -w /dev/kvm ]] || bad_usage "--host needs /dev/kvm"
	[[ $CONSENT == true ]] ||
		bad_usage "--host moves and offlines this machine's memory; say --i-know-this-moves-memory if it may"
}

# Sets KERNELS, and KERNELS_GIVEN to whether the user named them.
choose_kernels()
{
	local index kernel

	if [[ $HOST == true ]]; then
		((${#SCENARIOS[@]} == 0)) ||
			bad_usage "--host has no machine to change, so --scenario makes no sense with it"
		check_host
		KERNELS=(host) KERNELS_GIVEN=true
		return
	fi
	[[ $CONSENT == false ]] || bad_usage "--i-know-this-moves-memory makes sense with --host only"
	for index in "${!KERNELS[@]}"; do
		kernel=${KERNELS[index]}
		[[ $kernel != stock && $kernel != reference ]] || continue
		check_image "$kernel"
		# An image is told from stock, reference, tree and host by the slash in its path.
		KERNELS[index]=$(realpath --no-symlinks "$kernel")
	done
	KERNELS_GIVEN=true
	if [[ -n $TREE ]]; then
		KERNELS+=(tree)
	elif ((${#KERNELS[@]} == 0)); then
		KERNELS=(stock reference) KERNELS_GIVEN=false
		[[ $PROFILE != soak ]] || KERNELS=(reference)
	fi
}

# Checks the names of the scenarios.  A scenario that works on one architecture only
# chooses that one, unless --arch has chosen.
check_scenarios()
{
	local name arch

	for name in "${SCENARIOS[@]}"; do
		[[ $name =~ ^[a-z0-9-]+$ && $'\n'$(known_scenarios)$'\n' == *$'\n'$name$'\n'* ]] ||
			bad_usage "unknown scenario '$name'; known: $(known_scenarios | paste --serial --delimiters=' ')"
		arch=$(scenario_get "$name" arch)
		ARCH=${ARCH:-$arch}
		[[ -z $arch || $ARCH == "$arch" ]] ||
			bad_usage "scenario '$name' works on $arch only, not on $ARCH"
	done
	ARCH=${ARCH:-$(host_arch)}
}

# Adds every scenario that works on ARCH, because a full run takes all of them.
add_all_scenarios()
{
	local name arch

	for name in $(known_scenarios); do
		arch=$(scenario_get "$name" arch)
		[[ -n $arch && $arch != "$ARCH" ]] || SCENARIOS+=("$name")
	done
}

# Without --scenario there is one run for each kernel as it is.  With it there is one for
# each kernel that was asked for, or that the scenario's file names.
choose_runs()
{
	local kernel name
	local -a kernels

	RUNS=()
	if ((${#SCENARIOS[@]} == 0)); then
		RUNS=("${KERNELS[@]/#/ }")
		[[ $PROFILE != full || $HOST == true || $KERNELS_GIVEN == true ]] || add_all_scenarios
	fi
	for name in "${SCENARIOS[@]}"; do
		kernels=("${KERNELS[@]}")
		[[ $KERNELS_GIVEN == true ]] || read -ra kernels <<< \
			"$(scenario_get "$name" kernels)"
		for kernel in "${kernels[@]}"; do
			[[ $kernel != */* || -z $(scenario_get "$name" config) ]] ||
				bad_usage "scenario '$name' changes a kernel's configuration, so it makes no sense with an image"
			RUNS+=("$name $kernel")
		done
	done
}

# Sets PLAN to the programs that --only matches, as collection:program.
choose_tests()
{
	local name

	# "run" installs make, and chooses the tests once more after that.
	type -P make > /dev/null || [[ $MODE == run ]] || die "make is missing; see lab/packages.sh"
	PLAN=()
	while IFS= read -r name; do
		# shellcheck disable=SC2053 # the right side is a pattern
		[[ -n $ONLY && $name != $ONLY && ${name#*:} != $ONLY ]] || PLAN+=("$name")
	done < <("$GMEM_LAB/build-tests.sh" --names --arch "$ARCH")
	((${#PLAN[@]} > 0)) || bad_usage "no test matches '${ONLY:-*}'; see --list"
}
