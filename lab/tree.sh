#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Copies a user's kernel tree to where it can be built, because the lab does not write to it.
# Usage: lab/tree.sh TREE COPY
#
# A copy that exists is brought up to date.  It keeps the modification times, so that make
# sees what has changed, and loses the files that TREE has lost.

set -euo pipefail
# shellcheck source=common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"

# Prints the files of TREE: what git would commit, or without git everything except what a
# build leaves, because the user may have built in the tree.
list_tree()
{
	# git refuses the tree of another user, which it is for root.
	local -r git=(git -c 'safe.directory=*' -C "$TREE")

	if [[ -e $TREE/.git ]] && "${git[@]}" rev-parse > /dev/null 2>&1; then
		"${git[@]}" ls-files -z --cached --others --exclude-standard
	else
		cd "$TREE"
		find . '(' -path ./.git -o -path ./include/config -o \
			-path ./include/generated -o -path './arch/*/include/generated' \
			')' -prune -o '(' -type f -o -type l ')' \
			! -name '*.[aios]' ! -name '*.ko' ! -name '*.mod' \
			! -name '*.mod.c' ! -name '*.lex.c' ! -name '*.tab.[ch]' \
			! -name '.*.cmd' ! -name '.*.d' ! -name '.tmp_*' \
			! -name modules.order ! -name modules.builtin \
			! -path './.config*' ! -path './vmlinux*' \
			! -path ./System.map ! -path ./Module.symvers -printf '%P\0'
	fi
}

# Drops the names of files that do not exist: git lists a file that was deleted until that
# is committed.
only_existing()
{
	cd "$TREE"
	# shellcheck disable=SC2185 # the starting points come from stdin
	find -files0-from - -maxdepth 0 -print0 2> /dev/null || :
}

remove_vanished()
{
	local -r list=$1

	cd "$COPY"
	find . '(' -type f -o -type l ')' -printf '%P\0' | sort --zero-terminated |
		comm --zero-terminated -13 "$list" - |
		xargs --null --no-run-if-empty rm -f
}

main()
{
	local list

	(($# == 2)) || die "usage: lab/tree.sh TREE COPY"
	readonly TREE=$1 COPY=$2
	mkdir -p "$COPY"
	list=$COPY.files
	list_tree | only_existing | sort --zero-terminated --unique > "$list"
	rsync --archive --from0 --files-from="$list" "$TREE/" "$COPY/"
	remove_vanished "$list"
}

main "$@"
