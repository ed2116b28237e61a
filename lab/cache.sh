# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What is built is kept under a key, made by one run at a time, and removed when no run
# uses it any more.
# Usage: . "$GMEM_LAB/cache.sh", after common.sh

# A key is a hash of everything that the result depends on.
hash_of_stdin()
{
	sha256sum | cut -c 1-12
}

# Locks FILE until this script and its children have ended: where a child survives a run
# that was killed, the next run waits for it instead of racing with it.
lock()
{
	local -r file=$1
	local fd

	mkdir -p "${file%/*}"
	exec {fd}> "$file"
	flock --nonblock "$fd" && return
	say "waiting for another run to finish with ${file##*/}"
	flock "$fd"
}

# prune USED PATTERN [DAYS]: removes what lies beside USED, matches PATTERN, and was not
# used for two weeks, or DAYS, because kernels are large.
prune()
{
	local -r used=$1 pattern=$2 days=${3:-14}

	touch "$used"
	find "${used%/*}" -mindepth 1 -maxdepth 1 -name "$pattern" -mtime "+$days" \
		-exec rm -rf '{}' +
}
