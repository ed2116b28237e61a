# SPDX-License-Identifier: GPL-2.0-only
#
# Splits a patch, so that each hunk can be applied and judged by itself.
# Usage: awk -v into=DIR -f split-hunks.awk PATCH
#
# Writes DIR/1, DIR/2 ..., each a patch of one hunk, and prints a line for each:
# its number, the file, its number in that file, the line where it begins in the
# patched file, and how many lines it adds.  If the patch is malformed, or does what a
# hunk cannot say (a rename, a mode), prints why and exits 1.

function refuse(why)
{
	print why
	refused = 1
	exit 1
}

function end_file()
{
	if (file != "" && !number)
		refuse(file " has no hunk")
}

# The message may look like a patch, so nothing counts before its end.
!body {
	body = $0 == "---"
	next
}

# "\ No newline at end of file"
/^\\/ && number {
	print > out
	next
}

old > 0 || new > 0 {
	print > out
	old -= !/^\+/
	new -= !/^-/
	if (!/^([-+ ]|$)/)
		refuse("hunk " number " of " file " is malformed")
	next
}

/^diff --git / {
	end_file()
	file = substr($NF, 3)
	number = 0
}

/^(old mode|new mode|new file mode 100755|rename|copy|similarity|GIT binary|Binary)/ {
	refuse(file ": only hunks can be carried, and this is none: " $0)
}

/^--- / { from = $2 }
/^\+\+\+ / { to = $2 }

/^@@ -[0-9]/ {
	old = split($2, range, ",") > 1 ? range[2] : 1
	new = split($3, range, ",") > 1 ? range[2] : 1
	out = into "/" ++count
	printf "--- %s\n+++ %s\n%s\n", from, to, $0 > out
	print count, file, ++number, substr(range[1], 2), new - old
}

END {
	if (!refused)
		end_file()
	if (!refused && !body)
		refuse("no line of three dashes ends its message")
	if (!refused && (!count || old > 0 || new > 0))
		refuse("the last hunk is not complete")
}
