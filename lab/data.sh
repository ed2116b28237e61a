# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Data files: lines of "key = value", of which a key may have several.
# Usage: . "$GMEM_LAB/data.sh"; data_get FILE KEY

# Prints every value of KEY in FILE.
data_all()
{
	local -r file=$1 key=$2

	sed -n "s/^${key}[[:space:]]*=[[:space:]]*//p" "$file"
}

# Prints the last value of KEY in FILE, so that a line that is appended overrides.
data_get()
{
	data_all "$@" | tail -n 1
}
