#!/usr/bin/env bash
# build/npm-install.sh: installs exactly what package-lock.json says and puts Bun's own binary where its package keeps it.
# npm is told to run no package's install scripts: npm versions differ in whether they would, and Bun's, the only one that is
# needed, does no more than the last step here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
case "$(uname -m)" in
	x86_64) platform=linux-x64 ;;
	aarch64) platform=linux-aarch64 ;;
	*)
		echo "${0##*/}: wanted an x86_64 or aarch64 machine; found $(uname -m)" >&2
		exit 1
		;;
esac
npm ci --ignore-scripts --no-audit --no-fund
ln -f "node_modules/@oven/bun-$platform/bin/bun" node_modules/bun/bin/bun.exe
node_modules/.bin/bun --version >/dev/null
