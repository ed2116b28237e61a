# shellcheck shell=bash disable=SC2034 # the scripts that read this use the names
# SPDX-License-Identifier: GPL-2.0-only
#
# What every script of the lab needs: strict mode, where things are, and messages.
# Usage: . "${BASH_SOURCE[0]%/*}/common.sh", then what else is needed of $GMEM_LAB:
#	cache.sh	keys, locks and age of what is kept in the cache
#	children.sh	children that do not outlive their parent
#	data.sh		files of "key = value"
#	machine.sh	architectures, and the compilers for them
#	package.sh	what a linux-source package has in it
#	progress.sh	long steps, with a log and a progress display
#	run-dir.sh	the directory of a run
#	scenario-files.sh	the files of lab/scenarios

set -euo pipefail
export LC_ALL=C

GMEM_ROOT=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd -P)
readonly GMEM_ROOT GMEM_LAB=$GMEM_ROOT/lab
readonly GMEM_CACHE=${XDG_CACHE_HOME:-${HOME:-}/.cache}/guest_memfd-selftests

# A message begins with the command that the user typed, not with the script it came from.
GMEM_PROG=${GMEM_PROG:-${0##*/}}
export GMEM_PROG

say()
{
	printf '%s\n' "$*" >&2
}

# Ends the script with one sentence.  scenario.sh names a file in GMEM_WHY to get the
# sentence too.
die()
{
	say "$GMEM_PROG: $*"
	printf '%s\n' "$*" > "${GMEM_WHY:-/dev/null}"
	exit 2
}

# A job of a CI system may have no HOME, and a relative path would depend on the directory
# that a script has changed to.
[[ ${XDG_CACHE_HOME:-${HOME:-}} == /* ]] ||
	die "the cache needs a place: set HOME or XDG_CACHE_HOME to an absolute path"
