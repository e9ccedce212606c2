#!/usr/bin/env bash
# build/setup.sh [--test] [--bench]: installs the Debian or Ubuntu packages whose commands or files are missing, and nothing when none is: what
# building needs, and what only the tests or the benchmarks need.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

missing=()
# need PACKAGE COMMAND-OR-FILE
need() {
	case "$2" in
		/*) [ -e "$2" ] || missing+=("$1") ;;
		*) command -v "$2" >/dev/null || missing+=("$1") ;;
	esac
}

wished=()
# What the distribution was found not to have, so that it is not asked again.
unavailable=dist/unavailable-packages
# wish PACKAGE COMMAND-OR-FILE
wish() {
	if grep -qsx "$1" "$unavailable"; then return; fi
	case "$2" in
		/*) [ -e "$2" ] || wished+=("$1") ;;
		*) command -v "$2" >/dev/null || wished+=("$1") ;;
	esac
}

for purpose; do
	case "$purpose" in
		--test | --bench) ;;
		*)
			echo "${0##*/}: wanted --test or --bench; found $purpose" >&2
			exit 1
			;;
	esac
done

need ca-certificates /etc/ssl/certs/ca-certificates.crt
need debian-archive-keyring /usr/share/keyrings/debian-archive-keyring.gpg
need clang clang
need llvm llvm-strip
need gcc gcc
need libc6-dev /usr/include/stdio.h
need binutils readelf
need make make
need bzip2 bzip2
need xz-utils xz
need jq jq
if [[ " $* " == *" --bench "* ]]; then need bpftrace bpftrace; fi
if [[ " $* " == *" --test "* ]]; then
	# Disassembles arm64 programs for the tests of src/isa/arm64.
	need binutils-aarch64-linux-gnu aarch64-linux-gnu-objdump
	need git git
	need procps ps
	need util-linux setpriv
	need libcap2-bin capsh
	need tmux tmux
	# Where the distribution has none of these, the tests say so and are skipped.
	wish bpftool /usr/sbin/bpftool
	wish chromium chromium
	wish mandoc mandoc
	wish zsh zsh
	wish fish fish
	wish delve dlv
	wish linux-perf perf
	wish bpftrace bpftrace
fi
if [ "${ARCH:-}" = arm64 ] && [ "$(uname -m)" != aarch64 ]; then
	need gcc-aarch64-linux-gnu aarch64-linux-gnu-gcc
	need libc6-dev-arm64-cross /usr/aarch64-linux-gnu/include/stdio.h
fi
# npm 7 is the first that reads this package-lock.json, and node runs nothing but npm here. Asking it for its version is slow,
# and needless when it has done its work.
if [ node_modules/.installed -nt package-lock.json ]; then
	:
elif ! npm_version=$(npm --version 2>/dev/null) || [ "${npm_version%%.*}" -lt 7 ]; then missing+=(nodejs npm); fi

[ $((${#missing[@]} + ${#wished[@]})) -gt 0 ] || exit 0

echo "setup: installing ${missing[*]} ${wished[*]} with apt-get"
command -v apt-get >/dev/null || {
	echo "setup: wanted apt-get (Debian or Ubuntu); found none: install these packages by hand" >&2
	exit 1
}
root=()
[ "$(id -u)" = 0 ] || root=(sudo)
"${root[@]}" apt-get -q update
# install PACKAGE...: says how much it downloads, and upgrades what is there only where a new package cannot do without.
install() {
	local upgraded
	"${root[@]}" apt-get install -y --no-install-recommends --no-upgrade --print-uris "$@" 2>/dev/null |
		awk -v q="'" 'index($1, q) == 1 { bytes += $3; n++ } END { if (n) printf "setup: downloading %d packages, %.0f MB\n", n, bytes / 1e6 }'
	upgraded=$(apt-get -s install --no-install-recommends --no-upgrade "$@" 2>/dev/null | awk '/^Inst [^ ]+ \[/ { printf " %s", $2 }')
	[ -z "$upgraded" ] || echo "setup: they need newer versions of$upgraded"
	"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends --no-upgrade "$@"
}
if [ ${#missing[@]} -gt 0 ]; then install "${missing[@]}"; fi
for package in "${wished[@]}"; do
	if ! install "$package"; then
		echo "setup: there is no $package here; the tests that need it are skipped"
		mkdir -p dist
		echo "$package" >>"$unavailable"
	fi
done
