#!/usr/bin/env bash
# build/executable.sh: compiles src/cli/main.ts and what it embeds to dist/gomapgrow, and writes its manual page, dist/gomapgrow.1. The
# code sees its version, its commit ("unknown" outside a git checkout) and the commit's date as the constants BUILD_VERSION,
# BUILD_COMMIT and BUILD_DATE.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bun=node_modules/.bin/bun

version=$("$bun" -p 'require("./package.json").version')
commit=$(git rev-parse --short=12 HEAD 2>/dev/null) || commit=unknown
date=$(git show -s --format=%cs HEAD 2>/dev/null) || date=1970-01-01

# Autoloading is off because the tool runs as root in folders whose .env and bunfig.toml are somebody else's.
"$bun" build --compile --minify --bytecode --format=esm \
	--no-compile-autoload-dotenv --no-compile-autoload-bunfig \
	--no-compile-autoload-tsconfig --no-compile-autoload-package-json \
	--define "BUILD_VERSION=\"$version\"" --define "BUILD_COMMIT=\"$commit\"" --define "BUILD_DATE=\"$date\"" \
	--outfile dist/gomapgrow.new src/cli/main.ts
# Renamed, so that a running copy does not stop the build.
mv dist/gomapgrow.new dist/gomapgrow
dist/gomapgrow man >dist/gomapgrow.1
