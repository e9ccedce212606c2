#!/usr/bin/env bash
# build/go-toolchain.sh VERSION...: puts Debian's Go toolchains of these minor versions (1.23) into the cache folder, as
# $CACHE/go/VERSION (a complete GOROOT), and prints which exact version each one is. Needs no network when they are there.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib/cache.sh"
. "$here/lib/private-apt.sh"

# A suite offers one exact version at a time, so the minor version is all that can be asked for.
suite_of() {
	case "$1" in
		1.15) echo bullseye ;;
		1.19) echo bookworm ;;
		1.21 | 1.22 | 1.23) echo bookworm-backports ;;
		1.24) echo trixie ;;
		1.25 | 1.26) echo trixie-backports ;;
		1.27) echo forky ;;
		*) fail "wanted one of 1.15 1.19 1.21 1.22 1.23 1.24 1.25 1.26 1.27; found '$1'" ;;
	esac
}

# The binary package links into the source package's /usr/share/go-VERSION: put the files themselves there.
resolve_links() {
	local root=$1 goroot=$2 link target
	find "$goroot" -type l | while read -r link; do
		target=$(readlink "$link")
		case "$target" in
			/*) target="$root$target" ;;
			*) target=$(realpath -m -s "$(dirname "$link")/$target") ;;
		esac
		case "$target" in "$goroot"/*) continue ;; esac
		rm "$link"
		if [ -e "$target" ]; then mv "$target" "$link"; fi
	done
}

install() (
	version=$1
	suite=$(suite_of "$version")
	# Per suite, because two toolchains of one suite share its package lists.
	cache_lock "apt-$suite"
	if [ -x "$CACHE/go/$version/bin/go" ]; then exit 0; fi
	tmp=$(cache_tmp "go-$version")
	trap 'rm -rf "$tmp"' EXIT
	suite_update "$suite"
	(cd "$tmp" && suite_apt "$suite" download "golang-$version-go" "golang-$version-src" >&2)
	for package in "$tmp"/*.deb; do dpkg-deb -x "$package" "$tmp/root"; done
	resolve_links "$tmp/root" "$tmp/root/usr/lib/go-$version"
	goroot="$tmp/root/usr/lib/go-$version"
	for file in src/runtime/proc.go pkg/include/textflag.h; do
		[ -e "$goroot/$file" ] || fail "wanted a complete GOROOT from golang-$version-go and -src; found no $file"
	done
	mkdir -p "$CACHE/go"
	mv -T "$goroot" "$CACHE/go/$version"
)

[ $# -gt 0 ] || fail "wanted versions as arguments, 1.23 for instance; found none"
for version; do suite_of "$version" >/dev/null; done
for version; do
	[ -x "$CACHE/go/$version/bin/go" ] || install "$version"
	exact=$(GOROOT="$CACHE/go/$version" GOTOOLCHAIN=local "$CACHE/go/$version/bin/go" version)
	printf 'Go %s: %s in %s\n' "$version" "$(cut -d' ' -f3 <<<"$exact")" "$CACHE/go/$version"
done
