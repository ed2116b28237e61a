# shellcheck shell=bash disable=SC2034,SC2153 # names of the script that reads this
# SPDX-License-Identifier: GPL-2.0-only
#
# The work tree of a refresh: a git repository with the files that the patches touch,
# and a commit for each patch that is in.
# Usage: SERIES=DIR; WORK=DIR; TREE=$WORK/tree; . work-tree.sh, after common.sh

readonly SETS=(reference mutants)
# The files that a patch names.
readonly TOUCHED='s,^\(---\|+++\) [ab]/,,p'

# The user's git configuration must not show in what is written.
isolate_git()
{
	# shellcheck disable=SC2046 # a list of names
	unset $(compgen -v GIT_)
	export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_ATTR_NOSYSTEM=1
	export GIT_AUTHOR_NAME=refresh GIT_AUTHOR_EMAIL=refresh@localhost
	export GIT_COMMITTER_NAME=refresh GIT_COMMITTER_EMAIL=refresh@localhost
}

in_tree()
{
	git -C "$TREE" -c core.fileMode=false -c core.autocrlf=false -c gc.auto=0 \
		-c core.excludesFile=/dev/null -c core.attributesFile=/dev/null "$@"
}

# A commit for each patch that is in: its name, and how it went.
commit()
{
	in_tree add --all --force .
	in_tree commit --quiet --allow-empty --no-verify --message="$1" --message="$2"
}

# "SET/FILE" of every patch of DIR, in the order in which they apply.
list_patches()
{
	local -r dir=$1
	local set

	for set in "${SETS[@]}"; do
		(cd "$dir" && find "$set" -maxdepth 1 -name '*.patch' | sort)
	done
}

hash_patches()
{
	(cd "$1" && list_patches . | xargs sha256sum)
}

# Unpacks a package: all of it for the hand work, but --check needs FILES alone.
unpack()
{
	local -r package=${PACKAGE##*/}
	local -a members=()

	say "unpacking $package"
	SOURCE=$WORK/source
	mkdir "$SOURCE"
	[[ $GOAL != check ]] ||
		members=(--anchored --wildcards --no-wildcards-match-slash "${FILES[@]/#/*/}")
	unpack_package "$PACKAGE" "$SOURCE" "${members[@]}" 2> "$WORK/unpack.log" ||
		only_missing "$WORK/unpack.log" ||
		die "$package could not be unpacked: $(head --lines=1 "$WORK/unpack.log")"
}

# tar complains of a file that this version of the kernel does not have.
only_missing()
{
	[[ $GOAL == check && -s $1 ]] && ! grep --quiet --invert-match \
		'Not found in archive$\|Exiting with failure status due to previous errors$' "$1"
}

# Makes what the patches are applied to: the files that they touch, of a source that
# may be read-only and may be of any size.
make_tree()
{
	local set file

	for set in "${SETS[@]}"; do
		mkdir -p "$WORK/old/$set"
		cp "$SERIES/$set"/*.patch "$WORK/old/$set/" 2> /dev/null ||
			die "lab/kernel/$set: there are no patches"
	done
	mapfile -t FILES < <(cd "$WORK/old" && list_patches . | xargs sed -n "$TOUCHED" |
		sort --unique)
	[[ -z $PACKAGE ]] || unpack
	mkdir "$TREE"
	for file in "${FILES[@]}"; do
		[[ ! -f $SOURCE/$file ]] ||
			(cd "$SOURCE" && cp --parents --no-preserve=mode "$file" "$TREE") ||
			die "$file of $NAME could not be copied to $TREE"
		! grep --quiet $'\r$' "$TREE/$file" 2> /dev/null ||
			die "$file of $NAME ends its lines with CR and LF, so that no patch applies: convert the source first"
	done
	in_tree init --quiet
	commit "the source" "$NAME"
}

# What was edited becomes the patch; a file that was brought in for it is first
# committed as the source has it, or the patch would create it.
take_hand_work()
{
	local patch head left file

	read -r patch head < "$WORK/hand"
	left=$(cd "$TREE" && find . -name '*.rej' -printf '%P ')
	[[ -z $left ]] || die "${left% } of $patch is still in $TREE: make its change, remove it, and go on"
	in_tree reset --quiet "$head"
	in_tree ls-files --others | while read -r file; do
		[[ ! -f $SOURCE/$file ]] ||
			in_tree update-index --add --cacheinfo \
				"100644,$(in_tree hash-object -w "$SOURCE/$file"),$file"
	done
	in_tree commit --quiet --allow-empty --no-verify --message="more of the source"
	commit "$patch" "by hand"
	rm "$WORK/hand"
	printf '%-13s  %s\n' "by hand" "$patch"
}

# The change of a commit, in the form of git format-patch, without the hashes: they are
# others in each version of the kernel, even if the patch is the same.
print_change()
{
	in_tree show --format= --patch --stat=72 --summary --unified=3 --no-renames \
		--no-color --diff-algorithm=myers --no-ext-diff --no-textconv "$1" |
		sed '/^index [0-9a-f]*\.\./d'
}

# The message of a patch is the old one, to the letter.
write_patches()
{
	local commit patch set

	rm -rf "$WORK/new"
	for set in "${SETS[@]}"; do
		mkdir -p "$WORK/new/$set"
	done
	in_tree log --reverse --format='%H %s' | while read -r commit patch; do
		[[ -f $WORK/old/$patch ]] || continue
		! in_tree diff --quiet "$commit^" "$commit" || continue
		{
			sed '/^---$/q' "$WORK/old/$patch"
			print_change "$commit"
		} > "$WORK/new/$patch"
	done
}
