# shellcheck shell=bash disable=SC2034 # the scripts that read this use the names
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs apt with a state of its own, for kernel sources of other releases and for packages of
# other architectures; what this machine's apt knows and has installed stays as it is.
# Usage: APT=DIRECTORY; . "$GMEM_LAB/apt.sh", after common.sh
#
# apt fetches and verifies: it takes an index only with a valid signature of Debian's keyring,
# and a package only with the hash that the signed index has for it.  The mirror is
# GMEM_MIRROR, or the one that this machine's apt uses.

. "$GMEM_LAB/progress.sh"

readonly KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
readonly LOG=$GMEM_CACHE/log
readonly PRIVATE=(--config-file="$APT/apt.conf"
	--option=Dir::Etc::SourceList="$APT/sources.list"
	--option=Dir::Etc::SourceParts=-)

# "#clear" removes the hooks that this machine has configured; its proxies stay.
write_apt_conf()
{
	mkdir -p "$APT"/{lists,cache,lists/partial} "$LOG"
	: > "$APT/status"
	cat > "$APT/apt.conf" <<-CONF
	#clear APT::Update::Pre-Invoke;
	#clear APT::Update::Post-Invoke;
	#clear APT::Update::Post-Invoke-Success;
	Dir::State "$APT";
	Dir::State::status "$APT/status";
	Dir::Cache "$APT/cache";
	Acquire::AllowInsecureRepositories "false";
	Acquire::AllowDowngradeToInsecureRepositories "false";
	Acquire::AllowWeakRepositories "false";
	APT::Get::AllowUnauthenticated "false";
	Acquire::Languages "none";
	CONF
	# As root, apt would become the user _apt, which may not write into this cache.
	((EUID != 0)) || echo 'APT::Sandbox::User "root";' >> "$APT/apt.conf"
}

# Prints the first Debian mirror in apt's configuration, or nothing.
mirror_of_machine()
{
	# shellcheck disable=SC2016 # apt expands $(REPO_URI), not the shell
	apt-get "$@" indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		'Origin: Debian' 'Label: Debian' 'Component: main' 2> /dev/null |
		grep --invert-match '^cdrom:' | sed -n '1s,/*$,,p' || :
}

# Prints the mirror to use.  Where this machine has never fetched its lists, they are fetched
# into the private state, which any user may do.
find_mirror()
{
	local mirror=${GMEM_MIRROR:-}

	[[ -n $mirror ]] || mirror=$(mirror_of_machine)
	if [[ -z $mirror ]]; then
		run_logged "reading this machine's package sources" \
			"$LOG/mirror.log" no_count \
			apt-get --config-file="$APT/apt.conf" update || :
		mirror=$(mirror_of_machine --config-file="$APT/apt.conf")
	fi
	[[ -n $mirror ]] ||
		die "this machine's apt knows no Debian mirror; name one in GMEM_MIRROR"
	echo "$mirror"
}

write_sources()
{
	local -r mirror=$1
	local suite
	shift

	for suite in "$@"; do
		echo "deb [signed-by=$KEYRING] $mirror $suite main"
	done > "$APT/sources.list"
}
