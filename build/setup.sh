#!/usr/bin/env bash
# build/setup.sh [--bench]: installs the Debian or Ubuntu packages whose commands or files are missing, and nothing when none is; with --bench
# also what only the benchmarks need.
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

need ca-certificates /etc/ssl/certs/ca-certificates.crt
need debian-archive-keyring /usr/share/keyrings/debian-archive-keyring.gpg
need clang clang
need llvm llvm-strip
need gcc gcc
need libc6-dev /usr/include/stdio.h
need binutils readelf
# Disassembles arm64 programs for the tests of src/isa/arm64.
need binutils-aarch64-linux-gnu aarch64-linux-gnu-objdump
need make make
need bzip2 bzip2
need xz-utils xz
need git git
need jq jq
need procps ps
need util-linux setpriv
need libcap2-bin capsh
need tmux tmux
if [ "${1:-}" = --bench ]; then need bpftrace bpftrace; fi
# Only tests need these; where the distribution has none, the tests say so and are skipped.
wish bpftool /usr/sbin/bpftool
wish chromium chromium
wish mandoc mandoc
wish zsh zsh
wish fish fish
wish delve dlv
wish linux-perf perf
wish bpftrace bpftrace
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
if [ ${#missing[@]} -gt 0 ]; then
	"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${missing[@]}"
fi
for package in "${wished[@]}"; do
	if ! "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "$package"; then
		echo "setup: there is no $package here; the tests that need it are skipped"
		mkdir -p dist
		echo "$package" >>"$unavailable"
	fi
done
