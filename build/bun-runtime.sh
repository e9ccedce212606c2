#!/usr/bin/env bash
# build/bun-runtime.sh ARCH: prints the path of the Bun that executables for that machine (x64, arm64, x64-musl) carry, from npm's package for it, which is fetched into
# the cache folder first when it is missing. Version and checksum are those of package-lock.json.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. build/lib/cache.sh

case "${1:?wanted an architecture}" in
	x64) package=@oven/bun-linux-x64 ;;
	arm64) package=@oven/bun-linux-aarch64 ;;
	x64-musl) package=@oven/bun-linux-x64-musl ;;
	*) fail "wanted x64, arm64 or x64-musl; found $1" ;;
esac
read -r version integrity < <(jq -r --arg name "node_modules/$package" '.packages[$name] | "\(.version) \(.integrity)"' package-lock.json)
bun="$CACHE/bun/$version-$1/bun"

fetch() (
	cache_lock "bun-$1"
	if [ -x "$bun" ]; then exit 0; fi
	tmp=$(cache_tmp bun)
	trap 'rm -rf "$tmp"' EXIT
	(cd "$tmp" && npm pack --silent "$package@$version" >&2)
	archive=$(find "$tmp" -name '*.tgz')
	sum="sha512-$(sha512sum "$archive" | cut -d ' ' -f 1 | tr a-f A-F | basenc --base16 -d | base64 -w 0)"
	[ "$sum" = "$integrity" ] || fail "wanted $package $version with the checksum $integrity; found $sum"
	tar -C "$tmp" -xzf "$archive" package/bin/bun
	mkdir -p "$(dirname "$bun")"
	mv "$tmp/package/bin/bun" "$bun"
)

[ -x "$bun" ] || fetch "$1"
printf '%s\n' "$bun"
