# Sourced after cache.sh: packages of any Debian suite through an apt configuration of its own, which neither reads nor
# changes the system's sources, lists or package states. apt checks signatures and checksums as usual.
# shellcheck shell=bash

# The suite whose debian-archive-keyring package has the keys of every suite used here, and which old keyrings can check.
KEYRING_SUITE=bookworm

debian_mirror() {
	local site=""
	if grep -qx 'ID=debian' /etc/os-release; then
		# Whatever the machine uses, a mirror of its own for instance; not the security archive.
		site=$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | grep -E '/debian/?$' | head -n 1) || true
	fi
	site="${site:-http://deb.debian.org/debian}"
	printf '%s\n' "${site%/}"
}

# apt_in SUITE KEYRING ARGS...: apt-get on that suite only; its source packages with APT_TYPE=deb-src.
apt_in() {
	local suite=$1 keyring=$2 root="$CACHE/apt/$1-${APT_TYPE:-deb}" mirror
	shift 2
	mirror=$(debian_mirror)
	mkdir -p "$root/lists/partial" "$root/cache/archives/partial" "$root/etc"
	: >"$root/status"
	printf "${APT_TYPE:-deb} [signed-by=%s] %s %s main\n" "$keyring" "$mirror" "$suite" >"$root/etc/sources.list"
	DEBIAN_FRONTEND=noninteractive apt-get -q \
		-o Dir::Etc::sourcelist="$root/etc/sources.list" -o Dir::Etc::sourceparts=- \
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts="$root/etc" \
		-o Dir::State="$root" -o Dir::State::status="$root/status" -o Dir::State::Lists="$root/lists" \
		-o Dir::Cache="$root/cache" -o APT::Sandbox::User="$(id -un)" \
		-o Acquire::Languages=none -o Acquire::Retries=4 -o APT::Get::List-Cleanup=0 \
		"$@"
}

# debian_keyring: path of a keyring that knows all suites. Outside Debian the distribution's copy can be too old for the
# newest suites: it then vouches for the package that has the new keys.
debian_keyring() {
	local system=/usr/share/keyrings/debian-archive-keyring.gpg own="$CACHE/apt/debian-archive-keyring.gpg" tmp
	[ -r "$system" ] || fail "wanted the keys of Debian's archive; found no $system; install debian-archive-keyring"
	if grep -qx 'ID=debian' /etc/os-release; then
		printf '%s\n' "$system"
		return
	fi
	if [ ! -s "$own" ]; then
		tmp=$(cache_tmp keyring)
		apt_in "$KEYRING_SUITE" "$system" update >&2
		(cd "$tmp" && apt_in "$KEYRING_SUITE" "$system" download debian-archive-keyring >&2)
		dpkg-deb -x "$tmp"/debian-archive-keyring_*.deb "$tmp/root"
		cp -L "$tmp/root$system" "$tmp/keyring.gpg"
		mv "$tmp/keyring.gpg" "$own"
		rm -rf "$tmp"
	fi
	printf '%s\n' "$own"
}

# suite_update SUITE: fresh package lists. Callers that can run at the same time must hold the lock "apt-SUITE".
suite_update() {
	local keyring
	keyring=$(debian_keyring)
	apt_in "$1" "$keyring" update -o APT::Update::Error-Mode=any >&2
}

# suite_apt SUITE ARGS...
suite_apt() {
	local suite=$1 keyring
	shift
	keyring=$(debian_keyring)
	apt_in "$suite" "$keyring" "$@"
}
