#!/usr/bin/env bash
# test/vm/kernels.sh KERNEL...: puts Debian's cloud kernels of these series (6.1; arm64/6.1 for that machine) into the cache folder, as
# $CACHE/kernels/KERNEL/vmlinuz and release (its name as uname -r says it), and prints which exact version each one is. With one for arm64 comes a busybox
# for it. Needs no network when they are there.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../build/lib/cache.sh"
. "$here/../../build/lib/private-apt.sh"

suite_of() {
	case "${1#arm64/}" in
		5.10) echo bullseye ;;
		6.1) echo bookworm ;;
		6.12) echo trixie ;;
		# Backports keep most of the kernels that they had.
		6.18) echo trixie-backports ;;
		7) echo forky ;;
		*) fail "wanted one of 5.10 6.1 6.12 6.18 7; found '$1'" ;;
	esac
}

arch_of() {
	case "$1" in arm64/*) echo arm64 ;; *) echo amd64 ;; esac
}

# package_of SERIES SUITE: the newest kernel of the series.
package_of() {
	APT_COMMAND=apt-cache suite_apt "$2" pkgnames "linux-image-$1." | grep -E -- "-cloud-$APT_ARCH\$" | sort -V | tail -n 1
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

install() (
	suite=$(suite_of "$1") series=${1#arm64/}
	APT_ARCH=$(arch_of "$1")
	export APT_ARCH
	# Per suite, because toolchains come from the same package lists.
	cache_lock "apt-$suite"
	if [ -s "$CACHE/kernels/$1/release" ]; then exit 0; fi
	tmp=$(cache_tmp kernel)
	trap 'rm -rf "$tmp"' EXIT
	suite_update "$suite"
	package=$(package_of "$series" "$suite")
	[ -n "$package" ] || fail "wanted a kernel of series $series in $suite; found no package linux-image-$series.*-cloud-$APT_ARCH"
	kernel=$(download "$suite" "$package" "$tmp")
	[ -n "$kernel" ] || fail "wanted a kernel from $package of $suite; found none in it or what it depends on"
	mkdir -p "$tmp/out" "$CACHE/kernels/$1"
	mv "$kernel" "$tmp/out/vmlinuz"
	printf '%s\n' "${package#linux-image-}" >"$tmp/out/release"
	rm -rf "${CACHE:?}/kernels/$1"
	mv -T "$tmp/out" "$CACHE/kernels/$1"
)

# The busybox of bookworm: the same for all kernels.
install_busybox() (
	export APT_ARCH=arm64
	cache_lock apt-bookworm
	if [ -x "$CACHE/kernels/arm64/busybox" ]; then exit 0; fi
	tmp=$(cache_tmp busybox)
	trap 'rm -rf "$tmp"' EXIT
	suite_update bookworm
	(cd "$tmp" && suite_apt bookworm download busybox-static >&2)
	dpkg-deb -x "$tmp"/busybox-static_*.deb "$tmp/root"
	mkdir -p "$CACHE/kernels/arm64"
	mv "$tmp/root/bin/busybox" "$CACHE/kernels/arm64/busybox"
)

[ $# -gt 0 ] || fail "wanted kernel series as arguments, 6.1 for instance; found none"
for series; do suite_of "$series" >/dev/null; done
for series; do
	[ -s "$CACHE/kernels/$series/release" ] || install "$series"
	case "$series" in arm64/*) [ -x "$CACHE/kernels/arm64/busybox" ] || install_busybox ;; esac
	printf 'Linux %s: %s in %s\n' "$series" "$(cat "$CACHE/kernels/$series/release")" "$CACHE/kernels/$series"
done
