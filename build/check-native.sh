#!/usr/bin/env bash
# build/check-native.sh LIBRARY: fails unless the shared object shows nothing but libbpf's public functions and gmg_*, needs
# no library but libc (on arm64 its loader, too), and asks libc for nothing newer than glibc 2.22.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib/cache.sh"
. "$here/lib/native.sh"
NEWEST_GLIBC=2.22

library=${1:?wanted the path of a shared object}
map="$(native_prefix libbpf "$LIBBPF_VERSION")/lib/libbpf.map"

public=$(grep -oE '^[[:space:]]+[a-z_0-9]+;' "$map" | tr -d '\t ;' | sort -u)
exported=$(nm -D --defined-only "$library" | awk '{ sub(/@.*/, "", $3); print $3 }' | sort -u)
extra=$(comm -13 <(printf '%s\n' "$public") <(grep -v '^gmg_' <<<"$exported"))
[ -z "$extra" ] || fail "$library exports what it should hide: ${extra//$'\n'/ }"
for wanted in bpf_object__open_mem bpf_program__attach_uprobe_multi bpf_map__initial_value; do
	grep -qx "$wanted" <<<"$exported" || fail "$library does not export $wanted"
done

# musl takes itself for libc.so.6, but has no loader of glibc's name.
loader='ld-linux-aarch64\.so\.1'
needed=$(readelf -dW "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -vxE "libc\.so\.6|$loader" || true)
[ -z "$needed" ] || fail "$library needs more than libc: ${needed//$'\n'/ }"

newer=$(nm -D --undefined-only "$library" | sed -n 's/.* \([^ ]*\)@GLIBC_\([0-9.]*\)$/\2 \1/p' |
	while read -r version symbol; do
		[ "$(printf '%s\n' "$version" "$NEWEST_GLIBC" | sort -V | tail -n 1)" = "$NEWEST_GLIBC" ] || echo "$symbol@$version"
	done)
[ -z "$newer" ] || fail "$library needs a glibc newer than $NEWEST_GLIBC: ${newer//$'\n'/ }"
