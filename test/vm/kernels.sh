#!/usr/bin/env bash
# test/vm/kernels.sh SERIES...: puts Debian's cloud kernels of these series (6.1) into the cache folder, as $CACHE/kernels/SERIES/vmlinuz
# and release (its name as uname -r says it), and prints which exact version each one is. Needs no network when they are there.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../build/lib/cache.sh"
. "$here/../../build/lib/private-apt.sh"

suite_of() {
	case "$1" in
		5.10) echo bullseye ;;
		6.1) echo bookworm ;;
		6.12) echo trixie ;;
		# Backports keep most of the kernels that they had.
		6.18) echo trixie-backports ;;
		7) echo forky ;;
		*) fail "wanted one of 5.10 6.1 6.12 6.18 7; found '$1'" ;;
	esac
}

# package_of SERIES SUITE: the newest kernel of the series.
package_of() {
	APT_COMMAND=apt-cache suite_apt "$2" pkgnames "linux-image-$1." | grep -E -- '-cloud-amd64$' | sort -V | tail -n 1
}

# parts FILE: the packages with the kernel itself that a package depends on, by name. From 7.0 on there are several for one kernel.
parts() {
	dpkg-deb -f "$1" Depends | tr ',|' '\n\n' | grep -oE '^ *linux-(image|binary)-[0-9][^ ]*' | tr -d ' ' || true
}

# download SUITE PACKAGE FOLDER: the package and, one after another, what it depends on, until one has a kernel in it. Prints that kernel's path.
download() {
	local suite=$1 package=$2 folder=$3 file next kernel
	(cd "$folder" && suite_apt "$suite" download "$package" >&2)
	file=$(find "$folder" -name "${package}_*.deb")
	dpkg-deb -x "$file" "$folder/root"
	kernel=$(find "$folder/root" -name 'vmlinuz*' -type f)
	if [ -n "$kernel" ]; then
		printf '%s\n' "$kernel"
		return
	fi
	for next in $(parts "$file"); do
		kernel=$(download "$suite" "$next" "$folder")
		if [ -n "$kernel" ]; then
			printf '%s\n' "$kernel"
			return
		fi
	done
}

# release FILE: what uname -r will say. The boot image's header has the place of the text (Documentation/arch/x86/boot.rst, kernel_version).
release() {
	local at
	at=$(od -An -tu2 -j 526 -N 2 "$1")
	dd if="$1" bs=1 skip=$((at + 512)) count=128 status=none | tr '\0' '\n' | head -n 1 | cut -d ' ' -f 1
}

install() (
	series=$1
	suite=$(suite_of "$series")
	# Per suite, because toolchains come from the same package lists.
	cache_lock "apt-$suite"
	if [ -s "$CACHE/kernels/$series/release" ]; then exit 0; fi
	tmp=$(cache_tmp "kernel-$series")
	trap 'rm -rf "$tmp"' EXIT
	suite_update "$suite"
	package=$(package_of "$series" "$suite")
	[ -n "$package" ] || fail "wanted a kernel of series $series in $suite; found no package linux-image-$series.*-cloud-amd64"
	kernel=$(download "$suite" "$package" "$tmp")
	[ -n "$kernel" ] || fail "wanted a kernel from $package of $suite; found none in it or what it depends on"
	name=$(release "$kernel")
	case "$name" in "$series".*) ;; *) fail "wanted a kernel of series $series from $suite; found $name" ;; esac
	mkdir -p "$tmp/out" "$CACHE/kernels"
	mv "$kernel" "$tmp/out/vmlinuz"
	printf '%s\n' "$name" >"$tmp/out/release"
	rm -rf "$CACHE/kernels/$series"
	mv -T "$tmp/out" "$CACHE/kernels/$series"
)

[ $# -gt 0 ] || fail "wanted kernel series as arguments, 6.1 for instance; found none"
for series; do suite_of "$series" >/dev/null; done
for series; do
	[ -s "$CACHE/kernels/$series/release" ] || install "$series"
	printf 'Linux %s: %s in %s\n' "$series" "$(cat "$CACHE/kernels/$series/release")" "$CACHE/kernels/$series"
done
