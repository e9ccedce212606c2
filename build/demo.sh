#!/usr/bin/env bash
# build/demo.sh [VERSION]: watches the demo service for ten seconds, compiled with this Go (1.27; 1.23 has classic maps), lists its largest maps, and
# asks for advice.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=${1:-1.27}
root=()
[ "$(id -u)" = 0 ] || root=(sudo)
service=
trap '[ -z "$service" ] || kill "$service" 2>/dev/null || true' EXIT

mkdir -p dist/demo
program="dist/demo/service-go$version"
build/go.sh "$version" build -o "$program" ./test/programs/demo
"$program" >/dev/null &
service=$!
# Until its exec, the new process is still this shell.
until [ "/proc/$service/exe" -ef "$program" ]; do
	kill -0 "$service"
	sleep 0.05
done

show() {
	printf '\n== gomapgrow %s\n' "$*"
	"${root[@]}" dist/gomapgrow "$@"
}
echo "The demo service is process $service, compiled with Go $version."
show watch "$service" --duration 10s
show maps "$service" --top 5
show advise "$service" --duration 10s
printf '\ndemo: %d s after the build\n' "$SECONDS"
