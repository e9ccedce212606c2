#!/usr/bin/env bash
# build/bpf-object.sh [SOURCE OUT]: compiles bpf/gomapgrow.bpf.c to dist/native/gomapgrow.bpf.o, or another source, with BTF and without
# DWARF, against the headers of the bundled libbpf.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(dirname "$here")
. "$here/lib/cache.sh"
. "$here/lib/native.sh"

source=${1:-bpf/gomapgrow.bpf.c}
out=$(realpath -m "${2:-$top/dist/native/gomapgrow.bpf.o}")
# One object serves both machines; only the headers' folder has a machine's name.
case "$(machine_arch)" in
	x64) multiarch=x86_64-linux-gnu ;;
	arm64) multiarch=aarch64-linux-gnu ;;
esac

[ -d "$(libbpf_include)" ] || "$here/libbpf.sh" --sources
tmp=$(cache_tmp bpf)
trap 'rm -rf "$tmp"' EXIT
# -mcpu=v3: 32-bit instructions, in every kernel since 5.1; compilers differ in their default. The compilation folder "."
# keeps the checkout's path out of the line information.
cd "$top"
"${CLANG:-clang}" -target bpf -mcpu=v3 -O2 -g -std=gnu11 -Wall -Wextra -Werror \
	-isystem "$(libbpf_include)" -isystem "/usr/include/$multiarch" -fdebug-compilation-dir=. \
	-c -o "$tmp/object.bpf.o" "$source"
"${LLVM_STRIP:-llvm-strip}" -g "$tmp/object.bpf.o"
readelf -SW "$tmp/object.bpf.o" | grep -q ' \.BTF ' || fail "wanted BTF in the BPF object; found none"
mkdir -p "$(dirname "$out")"
mv "$tmp/object.bpf.o" "$out"
