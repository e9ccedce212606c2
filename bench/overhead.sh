#!/usr/bin/env bash
# bench/overhead.sh [GO VERSION]: what watching costs the target, next to the same program unobserved and under bpftrace (when it
# is installed), in turns in one run. Prints fills of a map per second and the share of the unobserved speed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=${1:-1.23}
rounds=3
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT

build/go.sh "$version" build -o "$folder/fill" ./bench/programs/fill

# The function that a tracer by name would take: the growth work of classic maps, the growth itself of swiss ones.
probe='internal/runtime/maps.(*table).rehash'
if [ "${version#1.}" -lt 24 ]; then probe=runtime.growWork_fast64; fi

# measure NAME: best of three seconds, after one to settle.
measure() {
	"$folder/fill" >"$folder/out" &
	local pid=$! tracer=
	case $1 in
	gomapgrow) dist/gomapgrow watch "$pid" --duration 60s >/dev/null 2>&1 & tracer=$! ;;
	bpftrace) bpftrace -p "$pid" -e "uprobe:$folder/fill:\"$probe\" { @ = count(); }" >/dev/null 2>&1 & tracer=$! ;;
	esac
	[ "$1" = none ] || sleep 2.5
	: >"$folder/out"
	sleep 4.2
	sort -n "$folder/out" | tail -n 1
	[ -z "$tracer" ] || kill -INT "$tracer"
	kill "$pid"
	wait 2>/dev/null || true
}

tracers=(gomapgrow)
if command -v bpftrace >/dev/null; then tracers+=(bpftrace); fi
echo "Go $version, one goroutine that only fills maps; fills/s, share of the unobserved speed"
for ((round = 1; round <= rounds; round++)); do
	none=$(measure none)
	line="round $round: unobserved $none"
	for tracer in "${tracers[@]}"; do
		speed=$(measure "$tracer")
		line+=$(awk -v n="$tracer" -v s="$speed" -v b="$none" 'BEGIN { printf ", %s %d (%.1f %%)", n, s, 100 * s / b }')
	done
	echo "$line"
done
