#!/usr/bin/env bash
# build/release.sh: puts a release into dist/release: for each platform (x64, arm64, and x64-musl for Alpine) a compressed archive with the executable, its manual page, licences, notices
# and bill of materials, then SHA256SUMS and release.json with sizes and start-up times, which are compared with those of build/last-release.json. Everything is
# built a second time in another folder with another cache, and must come out the same to the byte.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. build/lib/cache.sh
. build/lib/native.sh

[ -z "$(git status --porcelain)" ] || fail "wanted a checkout without changes, for what is released must be the commit; found $(git status --short | head -n 3)"
[ "$(machine_arch)" = x64 ] || fail "wanted an x86-64 machine, which builds both; found $(uname -m)"
version=$(jq -r .version package.json)
commit=$(git rev-parse --short=12 HEAD) date=$(git show -s --format=%cs HEAD)
out=dist/release
rm -rf "$out"
mkdir -p "$out"

platforms=(arm64 x64-musl x64)
executable() { # PLATFORM
	case "$1" in
		x64) echo dist/gomapgrow ;;
		x64-musl) echo dist/gomapgrow-musl ;;
		*) echo "dist/gomapgrow-$1" ;;
	esac
}

# build_variables PLATFORM: what make is to be told.
build_variables() {
	case "$1" in
		x64-musl) printf '%s\n' ARCH=x64 LIBC=musl ;;
		*) printf '%s\n' "ARCH=$1" ;;
	esac
}

# same_again PLATFORM: fails unless a build from nothing but the commit and the downloaded sources is the same.
same_again() (
	tmp=$(mktemp -d "${TMPDIR:-/tmp}/gomapgrow-release.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	mkdir "$tmp/tree" "$tmp/cache"
	git archive HEAD | tar -x -C "$tmp/tree"
	cp -r "$CACHE/sources" "$tmp/cache/"
	mapfile -t variables < <(build_variables "$1")
	GOMAPGROW_CACHE="$tmp/cache" BUILD_COMMIT="$commit" BUILD_DATE="$date" make -s -C "$tmp/tree" build "${variables[@]}" >"$tmp/log" 2>&1 ||
		{ tail -n 40 "$tmp/log" >&2; fail "the second build for $1 failed"; }
	for file in "$(executable "$1")" dist/native/gomapgrow.bpf.o "dist/native/${1%-musl}/libgomapgrow-bpf.so"; do
		cmp "$file" "$tmp/tree/$file" || fail "wanted the same $file from the same commit; found another one from the second build"
	done
)

# pack PLATFORM: the archive depends on the content alone.
pack() {
	local name="gomapgrow-$version-linux-$1" folder
	folder="$out/$name"
	mkdir -p "$folder/licenses"
	cp "$(executable "$1")" "$folder/gomapgrow"
	cp dist/gomapgrow.1 README.md LICENSE THIRD-PARTY-NOTICES.md "$folder/"
	cp docs/licenses/* bpf/LICENSE.BSD-2-Clause "$folder/licenses/"
	node_modules/.bin/bun build/sbom.ts "$folder/gomapgrow" "$1" "$commit" "$date" >"$folder/sbom.cdx.json"
	tar -C "$out" --sort=name --owner=0 --group=0 --numeric-owner --mode=u+rw,go+r-w --mtime="$date 00:00 UTC" -cf - "$name" | gzip -9n >"$out/$name.tar.gz"
	rm -rf "$folder"
}

# start_up: median milliseconds of `gomapgrow --version`.
start_up() {
	local begin
	for _ in {1..15}; do
		begin=$(date +%s%N)
		dist/gomapgrow --version >/dev/null
		echo $((($(date +%s%N) - begin) / 100000))
	done | sort -n | sed -n 8p | awk '{ printf "%.1f", $1 / 10 }'
}

for platform in "${platforms[@]}"; do
	echo "release: $platform" >&2
	mapfile -t variables < <(build_variables "$platform")
	make -s build "${variables[@]}" >&2
	same_again "$platform"
	pack "$platform"
done
said=$(dist/gomapgrow --version)
[ "$said" = "gomapgrow $version ($commit)" ] || fail "wanted an executable that says 'gomapgrow $version ($commit)'; found '$said'"
(cd "$out" && sha256sum -- *.tar.gz >SHA256SUMS)

size() { stat -c %s "$1"; }
for platform in "${platforms[@]}"; do
	jq -n --arg platform "$platform" --argjson bytes "$(size "$(executable "$platform")")" \
		--argjson packed_bytes "$(size "$out/gomapgrow-$version-linux-$platform.tar.gz")" '{($platform): {$bytes, $packed_bytes}}'
done | jq -s --arg version "$version" --arg commit "$commit" --argjson start_ms "$(start_up)" \
	'{$version, $commit, $start_ms, executables: add}' >"$out/release.json"

last='{}'
[ ! -e build/last-release.json ] || last=$(cat build/last-release.json)
jq -r --argjson last "$last" '
	def mb: . / 100000 | round / 10 | tostring + " MB";
	def since($old): if $old == null then "" else " (\($last.version): \($old))" end;
	(.executables | to_entries[] | .key as $platform | $last.executables[$platform] as $old
		| "\($platform): \(.value.bytes | mb)\(since($old.bytes | if . then mb else null end)), packed \(.value.packed_bytes | mb)\(since($old.packed_bytes | if . then mb else null end))"),
	"starts in \(.start_ms) ms\(since($last.start_ms | if . then "\(.) ms" else null end))",
	if $last == {} then "there is no build/last-release.json to compare with: when this is published, copy dist/release/release.json there" else empty end' "$out/release.json"
echo "built twice with the same bytes; in $out:"
cat "$out/SHA256SUMS"
