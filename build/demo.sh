#!/usr/bin/env bash
# build/demo.sh: watches the demo service, compiled with a Go that has classic maps and with one that has swiss maps, for ten
# seconds each.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

root=()
[ "$(id -u)" = 0 ] || root=(sudo)
service=
trap '[ -z "$service" ] || kill "$service" 2>/dev/null || true' EXIT

mkdir -p dist/demo
for version in 1.23 1.27; do
	build/go.sh "$version" build -o "dist/demo/service-go$version" ./test/programs/demo
	"dist/demo/service-go$version" >/dev/null &
	service=$!
	# Until its exec, the new process is still this shell.
	until [ "/proc/$service/exe" -ef "dist/demo/service-go$version" ]; do
		kill -0 "$service"
		sleep 0.05
	done
	echo "== gomapgrow watch $service (the demo service, Go $version)"
	"${root[@]}" dist/gomapgrow watch "$service" --duration 10s
	kill "$service"
	wait "$service" || true
	service=
done
