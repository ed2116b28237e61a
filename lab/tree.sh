#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Copies a user's kernel tree to where it can be built; the tree stays untouched.
# Usage: lab/tree.sh TREE COPY
#
# A copy that exists is brought up to date: modification times are kept, so that
# make sees what changed since, and what vanished from TREE vanishes from COPY.

set -euo pipefail
# shellcheck source=common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"

# The files of the user's tree: what git would commit, or all but what a build
# leaves behind, so that a tree that was built in place serves as well.
list_tree()
{
	# As root, git would refuse a tree of another user's.
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

# git also lists a file that was deleted and not committed.
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
