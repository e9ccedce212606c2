#!/usr/bin/env bash
# test/musl/libraries.sh: puts what a host with musl has into the cache folder: its loader, which is the C library too, from Debian's musl package, as
# $CACHE/musl/ld-musl-x86_64.so.1. Bun needs a C++ library beside it, which Debian has for glibc only; so libstdc++.so.6 and libgcc_s.so.1 of bookworm come with it,
# whatever this machine has, for shim.c to match them. Needs no network when they are there.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../build/lib/cache.sh"
. "$here/../../build/lib/private-apt.sh"

install() (
	export APT_ARCH=amd64
	cache_lock apt-bookworm
	if [ -d "$CACHE/musl" ]; then exit 0; fi
	tmp=$(cache_tmp musl)
	trap 'rm -rf "$tmp"' EXIT
	suite_update bookworm
	(cd "$tmp" && suite_apt bookworm download musl libstdc++6 libgcc-s1 >&2)
	for package in "$tmp"/*.deb; do dpkg-deb -x "$package" "$tmp/packages"; done
	mkdir "$tmp/out"
	cp -L "$tmp/packages/lib/x86_64-linux-musl/libc.so" "$tmp/out/ld-musl-x86_64.so.1"
	cp -L "$tmp"/packages/{usr/lib/x86_64-linux-gnu/libstdc++.so.6,lib/x86_64-linux-gnu/libgcc_s.so.1} "$tmp/out"
	mv -T "$tmp/out" "$CACHE/musl"
)

[ "$(uname -m)" = x86_64 ] || fail "wanted an x86-64 machine; found $(uname -m)"
[ -d "$CACHE/musl" ] || install
