#!/usr/bin/env bash
# build/test.sh: lint, type check, unit and end-to-end tests, each even if an earlier one failed. The last line of its output is
# "N passed, N failed": the tests that Bun ran, where a step that failed in another way than by a test counts as one failed.
# What the failed tests said comes again right before it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bun=node_modules/.bin/bun
results=dist/test
rm -rf "$results"
mkdir -p "$results"
passed=0 failed=0 skipped=0

# step NAME COMMAND...
step() {
	local name=$1
	shift
	echo "== $name"
	if ! "$@"; then
		echo "== $name failed"
		failed=$((failed + 1))
	fi
}

# of ATTRIBUTE REPORT: a count of the whole run, from the first element.
of() {
	grep -m 1 '<testsuites ' "$2" | grep -oE " $1=\"[0-9]+\"" | tr -dc '0-9'
}

# tests NAME FOLDER ARGS...
tests() {
	local name=$1 folder=$2 report="$results/$1.xml" status=0 failures all left_out
	shift 2
	echo "== $name tests"
	"$bun" test --reporter=junit --reporter-outfile="$report" "$@" "./$folder" 2>&1 | tee "$results/$name.log" || status=$?
	if [ ! -s "$report" ]; then
		echo "== $name tests ended without a report (exit status $status)"
		failed=$((failed + 1))
		return
	fi
	all=$(of tests "$report") failures=$(of failures "$report") left_out=$(of skipped "$report")
	# An error outside of a test fails the run but no test.
	if [ "$status" != 0 ] && [ "$failures" = 0 ]; then failures=1 all=$((all + 1)); fi
	failed=$((failed + failures))
	skipped=$((skipped + left_out))
	passed=$((passed + all - failures - left_out))
}

# complaints LOG: what each failed test said, and its name.
complaints() {
	awk '/^[0-9]+ tests failed:$/ { exit }
		/^\((pass|skip|todo)\) / || /^test\/.*:$/ { text = ""; next }
		{ text = text $0 "\n" }
		/^\(fail\) / { printf "%s", text; text = "" }' "$1"
}

step lint make -s lint
step typecheck make -s typecheck
tests unit test/unit --timeout 60000
tests e2e test/e2e --timeout 120000
GOMAPGROW_KERNELS="5.10 7" tests vm test/vm

if [ "$failed" -gt 0 ]; then
	for log in "$results"/*.log; do complaints "$log"; done
fi
if [ "$skipped" -gt 0 ]; then echo "$skipped skipped: this machine lacks what they need (their names say what)"; fi
echo "$passed passed, $failed failed" | tee "$results/summary"
[ "$failed" = 0 ]
