# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The self-test groups share this: TAP result lines, a scratch directory, and a kernel's
# source and headers.
# Usage: . "${BASH_SOURCE[0]%/*}/tap.sh"; ok/not_ok ...; finish

set -euo pipefail
export LC_ALL=C

ROOT=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd -P)
readonly ROOT
TESTS=0
FAILED=0

ok()
{
	TESTS=$((TESTS + 1))
	printf 'ok %d - %s\n' "$TESTS" "$1"
}

# not_ok NAME [TEXT...]: every line of TEXT becomes a diagnostic.
not_ok()
{
	local -r name=$1
	shift

	TESTS=$((TESTS + 1))
	FAILED=$((FAILED + 1))
	printf 'not ok %d - %s\n' "$TESTS" "$name"
	[[ $# -eq 0 ]] || printf '%s\n' "$@" | tail --lines=25 | sed 's/^/# /'
}

# check NAME COMMAND...: ok if COMMAND succeeds; otherwise its output is the diagnostic.
check()
{
	local -r name=$1
	local output
	shift

	if output=$("$@" 2>&1); then
		ok "$name"
	else
		not_ok "$name" "$output"
	fi
}

# Ends a group.  The plan comes last, so that a group that ended early has none.
finish()
{
	printf '1..%d\n' "$TESTS"
	exit $((FAILED > 0))
}

# Sets SCRATCH to a directory that is removed when the group ends.
scratch()
{
	SCRATCH=$(mktemp --directory --tmpdir gmem-selftest.XXXXXX)
	readonly SCRATCH
	trap 'rm -rf "$SCRATCH"' EXIT
}

# kernel_headers VERSION: prints the directory of that stock kernel, "" being the newest.  It
# has source/, and the headers in obj/usr/include; they are fetched and built if need be.
kernel_headers()
{
	local deb

	deb=$("$ROOT/lab/fetch.sh" ${1:+"$1"}) || return
	"$ROOT/lab/kernel.sh" --headers stock "$deb"
}

# Prints a kernel source that has checkpatch.pl and the like: KSRC, or the newest stock one.
kernel_source()
{
	local dir

	if [[ -n ${KSRC:-} ]]; then
		echo "$KSRC"
	else
		dir=$(kernel_headers "") || return
		echo "$dir/source"
	fi
}
