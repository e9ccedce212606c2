#!/usr/bin/env bash
# test/vm/packages.sh [arm64]: installs what booting other kernels needs and nothing else does, and nothing when all is there.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../build/lib/cache.sh"

[ "$(uname -m)" = x86_64 ] || fail "wanted an x86-64 machine, whose executable the test machines run; found $(uname -m)"

missing=()
need() {
	case "$2" in
		/*) [ -e "$2" ] || missing+=("$1") ;;
		*) command -v "$2" >/dev/null || missing+=("$1") ;;
	esac
}
need qemu-system-x86 qemu-system-x86_64
need busybox-static busybox
need cpio cpio
if [ "${1:-}" = arm64 ]; then
	need qemu-system-arm qemu-system-aarch64
	# The libraries that the executable needs there.
	need libc6-arm64-cross /usr/aarch64-linux-gnu/lib/libc.so.6
fi
# The other package's busybox needs libraries that the test machine does not have.
if [ ${#missing[@]} = 0 ] && ldd "$(command -v busybox)" >/dev/null 2>&1; then missing+=(busybox-static); fi

if [ ${#missing[@]} -gt 0 ]; then
	echo "test/vm: installing ${missing[*]} with apt-get"
	root=()
	[ "$(id -u)" = 0 ] || root=(sudo)
	"${root[@]}" apt-get -q update
	"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${missing[@]}"
fi

# Older ones do not emulate AVX, which Bun needs.
version=$(qemu-system-x86_64 --version | sed -nE '1s/.*version ([0-9]+\.[0-9]+).*/\1/p')
[ "$(printf '%s\n' 7.2 "$version" | sort -V | head -n 1)" = 7.2 ] || fail "wanted QEMU 7.2 or newer; found $version"
