# SPDX-License-Identifier: GPL-2.0-only
#
# Shows a hunk that does not apply beside the lines that are there now.
# Usage: awk -v near=LINE -f show-hunk.awk HUNK FILE
#
# The place is where most lines of the hunk's context are found again; a line that is
# rare in FILE says more about it than a brace.  Among equals the one next to LINE is
# taken.

# The lines that the hunk expects, and how much each of them weighs.
function weigh(   i)
{
	for (i = 1; i <= hunks; i++)
		if (hunk[i] !~ /^\+/) {
			expected[substr(hunk[i], 2)]
			length_old++
		}
	for (i = 1; i <= lines; i++)
		if (line[i] in expected && line[i] ~ /[[:alnum:]]/)
			count[line[i]]++
}

function weight(i)
{
	return line[i] in count ? 1 / count[line[i]] : 0
}

function distance(a, b)
{
	return a < b ? b - a : a - b
}

# The first line of the best place, or 0.
function find_place(   first, last, sum, best, place)
{
	for (last = 1; last <= lines + length_old; last++) {
		first = last - length_old + 1
		sum += weight(last) - weight(first - 1)
		# Sums of fractions are not exact.
		if (sum > best + 1e-6 || (sum > 1e-6 && sum > best - 1e-6 &&
		    distance(first, near) < distance(place, near))) {
			best = sum
			place = first
		}
	}
	return place
}

# A "!" marks what the hunk expects and does not find there.
function show_hunk(first, last,   i, here, text)
{
	for (i = first; i <= last; i++)
		here[line[i]]
	for (i = 1; i <= hunks; i++) {
		text = substr(hunk[i], 2)
		printf "  %s   %s\n", hunk[i] !~ /^\+/ && !(text in here) ? "!" : " ", hunk[i]
	}
}

FNR == 1 { files++ }
files == 1 && /^([-+ ]|$)/ && FNR > 3 { hunk[++hunks] = $0 }
files == 2 { line[++lines] = $0 }

END {
	weigh()
	place = find_place()
	first = place > 4 ? place - 4 : 1
	last = place + length_old + 3
	if (last > lines)
		last = lines
	if (!place)
		last = 0
	print "  the hunk, with \"!\" where it expects a line that is not there now:"
	show_hunk(first, last)
	if (!place)
		print "  none of the lines that it expects are in the file now"
	else
		print "  what is there now:"
	for (i = first; i <= last; i++)
		printf "  %5d %s\n", i, line[i]
}
