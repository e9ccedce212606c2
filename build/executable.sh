#!/usr/bin/env bash
# build/executable.sh: compiles src/cli/main.ts and what it embeds to dist/gomapgrow. The code sees its version and commit as
# the constants BUILD_VERSION and BUILD_COMMIT ("unknown" outside a git checkout).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bun=node_modules/.bin/bun

version=$("$bun" -p 'require("./package.json").version')
commit=$(git rev-parse --short=12 HEAD 2>/dev/null) || commit=unknown

# Autoloading is off because the tool runs as root in folders whose .env and bunfig.toml are somebody else's.
"$bun" build --compile --minify --bytecode --format=esm \
	--no-compile-autoload-dotenv --no-compile-autoload-bunfig \
	--no-compile-autoload-tsconfig --no-compile-autoload-package-json \
	--define "BUILD_VERSION=\"$version\"" --define "BUILD_COMMIT=\"$commit\"" \
	--outfile dist/gomapgrow.new src/cli/main.ts
# Renamed, so that a running copy does not stop the build.
mv dist/gomapgrow.new dist/gomapgrow
