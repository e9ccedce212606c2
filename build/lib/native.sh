# Sourced after cache.sh: where the bundled libbpf and what it is made of live, for the scripts that build or use them.
# shellcheck shell=bash

# Upstream versions in the source suite, a stable release, which keeps them.
NATIVE_SUITE=trixie
LIBBPF_VERSION=1.5.0
ELFUTILS_VERSION=0.192
ZLIB_VERSION=1.3.dfsg+really1.3.1
# Raised when the way of building changes, so that no cached archive of the old way is used.
NATIVE_RECIPE=2

# native_arch: the machine's name in Bun's spelling, which is that of the folders under dist/native.
native_arch() {
	case "$(uname -m)" in
		x86_64) echo x64 ;;
		aarch64) echo arm64 ;;
		*) fail "wanted an x86_64 or aarch64 machine; found $(uname -m)" ;;
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
