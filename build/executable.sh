#!/usr/bin/env bash
# build/executable.sh: compiles src/cli/main.ts and what it embeds to dist/gomapgrow, and writes its manual page, dist/gomapgrow.1; with
# ARCH=arm64, on another machine, dist/gomapgrow-arm64; with LIBC=musl dist/gomapgrow-musl, for hosts with that C library. The code sees its version, its commit (BUILD_COMMIT of the environment, or else
# git's; "unknown" outside a checkout) and the commit's date as the constants BUILD_VERSION, BUILD_COMMIT and BUILD_DATE.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. build/lib/cache.sh
. build/lib/native.sh
bun=node_modules/.bin/bun
arch=$(native_arch) out=dist/gomapgrow target=()
if [ "${LIBC:-glibc}" = musl ]; then
	[ "$arch" = x64 ] || fail "wanted ARCH=x64 with LIBC=musl; found $arch"
	out=dist/gomapgrow-musl arch=x64-musl
	target=(--target="bun-linux-$arch" --compile-executable-path="$(build/bun-runtime.sh "$arch")")
elif [ "$arch" != "$(machine_arch)" ]; then
	out=dist/gomapgrow-$arch
	target=(--target="bun-linux-$arch" --compile-executable-path="$(build/bun-runtime.sh "$arch")")
fi

version=$("$bun" -p 'require("./package.json").version')
commit=${BUILD_COMMIT:-$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)}
date=${BUILD_DATE:-$(git show -s --format=%cs HEAD 2>/dev/null || echo 1970-01-01)}

# Autoloading is off because the tool runs as root in folders whose .env and bunfig.toml are somebody else's.
"$bun" build --compile "${target[@]}" --minify --bytecode --format=esm \
	--no-compile-autoload-dotenv --no-compile-autoload-bunfig \
	--no-compile-autoload-tsconfig --no-compile-autoload-package-json \
	--define "BUILD_VERSION=\"$version\"" --define "BUILD_COMMIT=\"$commit\"" --define "BUILD_DATE=\"$date\"" \
	--outfile "$out.new" src/cli/main.ts
"$bun" build/close-runtime.ts "$out.new"
# Renamed, so that a running copy does not stop the build.
mv "$out.new" "$out"
if [ "$out" = dist/gomapgrow ]; then dist/gomapgrow man >dist/gomapgrow.1; fi
