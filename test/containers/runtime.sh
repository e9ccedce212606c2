#!/usr/bin/env bash
# test/containers/runtime.sh: puts Debian's containerd and runc into the cache folder, as $CACHE/containers/bin, and prints where. Nothing is
# installed into the system, and nothing is fetched when they are there.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../build/lib/cache.sh"
. "$here/../../build/lib/private-apt.sh"

SUITE=bookworm

fetch() (
	cache_lock "apt-$SUITE"
	if [ -x "$CACHE/containers/bin/containerd" ]; then exit 0; fi
	tmp=$(cache_tmp containers)
	trap 'rm -rf "$tmp"' EXIT
	suite_update "$SUITE"
	(cd "$tmp" && suite_apt "$SUITE" download containerd runc >&2)
	for package in "$tmp"/*.deb; do dpkg-deb -x "$package" "$tmp/root"; done
	mkdir -p "$tmp/containers/bin" "$CACHE"
	for name in containerd containerd-shim-runc-v2 ctr runc; do
		mv "$(find "$tmp/root/usr" -type f -name "$name" -path '*bin/*' -print -quit)" "$tmp/containers/bin/"
	done
	"$tmp/containers/bin/runc" --version >&2
	mv -T "$tmp/containers" "$CACHE/containers"
)

[ -x "$CACHE/containers/bin/containerd" ] || fetch
echo "$CACHE/containers/bin"
