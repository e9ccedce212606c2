#!/usr/bin/env bash
# build/go.sh VERSION ARGS...: runs the go command of that toolchain (1.23), installing it first when it is missing.
# GOOS, GOARCH, GOEXPERIMENT and CGO_ENABLED (default 0) are the caller's; nothing else of the user's Go settings counts.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib/cache.sh"

[ $# -ge 2 ] || fail "wanted a version and a go command: build/go.sh 1.23 build ..."
version=$1
shift
[ -x "$CACHE/go/$version/bin/go" ] || "$here/go-toolchain.sh" "$version" >&2

export GOROOT="$CACHE/go/$version" GOPATH="$CACHE/gopath" GOCACHE="$CACHE/gocache"
export GOENV=off GOTOOLCHAIN=local GO111MODULE=off GOFLAGS='' CGO_ENABLED="${CGO_ENABLED:-0}"
exec "$GOROOT/bin/go" "$@"
