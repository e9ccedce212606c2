# Sourced after cache.sh: where the bundled libbpf and what it is made of live, for the scripts that build or use them.
# shellcheck shell=bash

# Upstream versions in the source suite, a stable release, which keeps them.
NATIVE_SUITE=trixie
LIBBPF_VERSION=1.5.0
ELFUTILS_VERSION=0.192
ZLIB_VERSION=1.3.dfsg+really1.3.1
# Raised when the way of building changes, so that no cached archive of the old way is used.
NATIVE_RECIPE=3

# machine_arch: this machine's name in Bun's spelling, which is that of the folders under dist/native.
machine_arch() {
	case "$(uname -m)" in
		x86_64) echo x64 ;;
		aarch64) echo arm64 ;;
		*) fail "wanted an x86_64 or aarch64 machine; found $(uname -m)" ;;
	esac
}

# native_arch: what is built for: ARCH, or else this machine.
native_arch() {
	case "${ARCH:-}" in
		'') machine_arch ;;
		x64 | arm64) echo "$ARCH" ;;
		*) fail "wanted ARCH=x64 or ARCH=arm64; found $ARCH" ;;
	esac
}

# cross_prefix: what the names of the binary tools and the compiler begin with, aarch64-linux-gnu- for instance; nothing when it is built for this machine.
cross_prefix() {
	local arch
	arch=$(native_arch)
	[ "$arch" != "$(machine_arch)" ] || return 0
	case "$arch" in
		x64) echo x86_64-linux-gnu- ;;
		arm64) echo aarch64-linux-gnu- ;;
	esac
}

# native_prefix LIBRARY VERSION: the installed headers (include/) and static archive (lib/) of one library.
native_prefix() {
	printf '%s/native/%s/%s-%s-%s\n' "$CACHE" "$(native_arch)" "$1" "$2" "$NATIVE_RECIPE"
}

# libbpf_include: folder with bpf/ and the kernel's linux/ headers that libbpf brings.
libbpf_include() {
	printf '%s/include\n' "$(native_prefix libbpf "$LIBBPF_VERSION")"
}
