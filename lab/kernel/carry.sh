# shellcheck shell=bash disable=SC2034,SC2153 # names of the script that reads this
# SPDX-License-Identifier: GPL-2.0-only
#
# Applies a patch to a tree hunk by hunk, and says how each hunk went.
# Usage: TREE=DIR; HUNKS=DIR; . carry.sh, after common.sh; carry_patch PATCH
#
# GNU patch decides where a hunk belongs, with the fuzz that it allows itself without
# being asked, as lab/kernel.sh uses it.  Each hunk is tried by itself, since patch
# takes one that is already there for a reason to skip its whole file.

# As much as GNU patch allows where nobody says anything else.
readonly FUZZ=2

# Does the hunk apply with at most this fuzz?  Sets OFFSET and FUZZ_USED.
try_hunk()
{
	local -r hunk=$1 fuzz=$2
	local said
	shift 2

	# A hunk that creates a file has no context: patch would put it into any file.
	! grep --quiet '^--- /dev/null' "$hunk" || [[ ! -e $TREE/$FILE || $* == *--reverse* ]] ||
		return 1
	said=$(patch --directory="$TREE" --strip=1 --force --fuzz="$fuzz" \
		--no-backup-if-mismatch --reject-file=- "$@" < "$hunk" 2>&1) || return 1
	OFFSET=$(sed -n 's/.*(offset \(-\{0,1\}[0-9]*\) lines\{0,1\}).*/\1/p' <<< "$said")
	OFFSET=${OFFSET:-0}
	FUZZ_USED=$(sed -n 's/.* with fuzz \([0-9]*\).*/\1/p' <<< "$said")
}

# Has the tree what the hunk changes?  Where code repeats itself the change can be
# found both done and to be done; then the nearer place is the right one.
is_there()
{
	local -r hunk=$1
	local done_at=''

	! try_hunk "$hunk" 0 --reverse --dry-run || done_at=$OFFSET
	if [[ -n $done_at ]] && try_hunk "$hunk" 0 --dry-run &&
	   ((${done_at#-} >= ${OFFSET#-})); then
		return 1
	fi
	OFFSET=$done_at
	[[ -n $done_at ]]
}

# Applies one hunk.  Sets OUTCOME, and what there is to say of it in DETAIL.
apply_hunk()
{
	local -r hunk=$1

	OUTCOME=exact DETAIL=
	if is_there "$hunk"; then
		SHIFT=$((SHIFT + OFFSET))
		OUTCOME=there DETAIL="is already there"
		((SHIFT == 0)) || DETAIL+=", offset $SHIFT"
	elif try_hunk "$hunk" "$FUZZ"; then
		SHIFT=$((SHIFT + OFFSET))
		((SHIFT == 0)) || OUTCOME=offset DETAIL="offset $SHIFT"
		[[ -z $FUZZ_USED ]] || OUTCOME=fuzz DETAIL="fuzz $FUZZ_USED${DETAIL:+, $DETAIL}"
	else
		OUTCOME=hand DETAIL="needs a hand"
		[[ -e $TREE/$FILE ]] || DETAIL+=": there is no such file"
	fi
}

# The line where the hunk begins, in a file whose other hunks are in.
place_hunk()
{
	local -r hunk=$1 line=$2

	grep --quiet '^--- /dev/null' "$hunk" ||
		sed -i "3s/^@@ -[0-9]*\(.*\) +[0-9]*/@@ -$line\1 +$line/" "$hunk"
}

# Keeps the hunk beside its file, where git and patch would put it.
reject_hunk()
{
	local -r hunk=$1 rejects=$TREE/$FILE.rej

	mkdir -p "${rejects%/*}"
	if [[ -e $rejects ]]; then
		tail --lines=+3 "$hunk" >> "$rejects"
	else
		cp "$hunk" "$rejects"
	fi
}

# Sets OUTCOME of a patch, from how many hunks met which.
sum_up()
{
	local -r hunks=$1
	local outcome

	for outcome in hand there fuzz offset exact; do
		((${MET[$outcome]:-0} == 0)) || break
	done
	OUTCOME=$outcome
	[[ $OUTCOME != there || ${MET[there]} == "$hunks" ]] || OUTCOME=part
}

# Applies PATCH to TREE, leaving a FILE.rej for what does not apply.  Sets
#	OUTCOME		of the whole patch: exact, offset, fuzz, there, part (some of it is
#			there) or hand, if a hunk needs a hand
#	DETAILS		a line for each hunk that is not exact
#	REJECTED	"FILE LINE HUNK" of each that needs a hand
carry_patch()
{
	local -r patch=$1
	local number hunk line adds last='' lost
	local -A MET=()

	split_patch "$patch"
	DETAILS=() REJECTED=()
	while read -r number FILE hunk line adds; do
		[[ $FILE == "$last" ]] || SHIFT=0 lost=0
		last=$FILE
		line=$((line + SHIFT - lost))
		place_hunk "$HUNKS/$number" "$line"
		apply_hunk "$HUNKS/$number"
		MET[$OUTCOME]=$((${MET[$OUTCOME]:-0} + 1))
		[[ -z $DETAIL ]] || DETAILS+=("$FILE hunk $hunk: $DETAIL")
		[[ $OUTCOME == hand ]] || continue
		lost=$((lost + adds))
		REJECTED+=("$FILE $line $number")
		reject_hunk "$HUNKS/$number"
	done < "$HUNKS/list"
	sum_up "$(wc --lines < "$HUNKS/list")"
}

split_patch()
{
	local -r patch=$1

	rm -rf "$HUNKS"
	mkdir -p "$HUNKS"
	awk -v into="$HUNKS" -f "$GMEM_LAB/kernel/split-hunks.awk" "$patch" > "$HUNKS/list" ||
		die "${patch##*/} cannot be carried: $(tail --lines=1 "$HUNKS/list")"
}
