# Sourced after cache.sh: packages of any Debian suite through an apt configuration of its own, which neither reads nor
# changes the system's sources, lists or package states. apt checks signatures and checksums as usual.
# shellcheck shell=bash

debian_mirror() {
	local site=""
	if grep -qx 'ID=debian' /etc/os-release; then
		# Whatever the machine uses, a mirror of its own for instance; not the security archive.
		site=$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | grep -E '/debian/?$' | head -n 1) || true
	fi
	site="${site:-http://deb.debian.org/debian}"
	printf '%s\n' "${site%/}"
}

# apt_in SUITE KEYRING ARGS...: apt-get (or APT_COMMAND) on that suite only; its source packages with APT_TYPE=deb-src, another machine's packages
# with APT_ARCH=arm64. A mirror that lags behind
# may serve a list past its date: the signature still counts, and nothing from here is installed into the system.
apt_in() {
	local suite=$1 keyring=$2 root="$CACHE/apt/${APT_FOLDER:-$1-${APT_TYPE:-deb}}" mirror arch
	arch=${APT_ARCH:-$(dpkg --print-architecture)}
	[ "$arch" = "$(dpkg --print-architecture)" ] || root="$root-$arch"
	shift 2
	mirror=$(debian_mirror)
	mkdir -p "$root/lists/partial" "$root/cache/archives/partial" "$root/etc"
	: >"$root/status"
	printf "${APT_TYPE:-deb} [signed-by=%s] %s %s main\n" "$keyring" "$mirror" "$suite" >"$root/etc/sources.list"
	DEBIAN_FRONTEND=noninteractive "${APT_COMMAND:-apt-get}" -q \
		-o Dir::Etc::sourcelist="$root/etc/sources.list" -o Dir::Etc::sourceparts=- \
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts="$root/etc" \
		-o Dir::State="$root" -o Dir::State::status="$root/status" -o Dir::State::Lists="$root/lists" \
		-o Dir::Cache="$root/cache" -o APT::Sandbox::User="$(id -un)" \
		-o APT::Architecture="$arch" -o APT::Architectures="$arch" \
		-o Acquire::Languages=none -o Acquire::Retries=4 -o Acquire::Check-Valid-Until=false -o APT::Get::List-Cleanup=0 \
		"$@"
}

# newer_keyring SUITE KEYRING FILE: the keys in that suite's debian-archive-keyring package, checked with KEYRING, as FILE.
newer_keyring() (
	tmp=$(cache_tmp keyring)
	trap 'rm -rf "$tmp"' EXIT
	export APT_TYPE=deb APT_FOLDER=keyring
	apt_in "$1" "$2" update -o APT::Update::Error-Mode=any >&2 || exit 1
	cd "$tmp" && apt_in "$1" "$2" download debian-archive-keyring >&2 &&
		dpkg-deb -x debian-archive-keyring_*.deb root && mv root/usr/share/keyrings/debian-archive-keyring.gpg "$3"
)

# debian_keyring: path of a keyring that knows all suites. Outside Debian the distribution's copy can be too old for them: it
# then vouches for the package of the oldest suite that it knows, which vouches for the next. Debian's bookworm has the keys of
# all suites used here; Ubuntu 22.04 knows no suite newer than bullseye.
debian_keyring() {
	local system=/usr/share/keyrings/debian-archive-keyring.gpg own="$CACHE/apt/debian-archive-keyring.gpg"
	[ -r "$system" ] || fail "wanted the keys of Debian's archive; found no $system; install debian-archive-keyring"
	if grep -qx 'ID=debian' /etc/os-release; then
		printf '%s\n' "$system"
		return
	fi
	[ -s "$own" ] || (
		cache_lock keyring
		if [ -s "$own" ]; then exit 0; fi
		mkdir -p "$CACHE/apt"
		if ! newer_keyring bookworm "$system" "$own"; then
			newer_keyring bullseye "$system" "$own.bullseye"
			newer_keyring bookworm "$own.bullseye" "$own"
		fi
	)
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
