# Sourced by the build scripts: the cache folder, which outlives a checkout and is shared by all of them, and its locks.
# shellcheck shell=bash

# A failure inside $(...) ends the script, as set -e does elsewhere.
shopt -s inherit_errexit

CACHE="${GOMAPGROW_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/gomapgrow}"

fail() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# cache_lock NAME: one process at a time from here to the end of the calling shell. The system drops the lock when that
# shell and everything it started have ended, so a killed build leaves nothing behind that blocks the next one.
cache_lock() {
	local file="$CACHE/locks/$1"
	mkdir -p "$CACHE/locks"
	exec 9>"$file"
	if ! flock -n 9; then
		echo "${0##*/}: waiting for another build that holds $file" >&2
		flock 9
	fi
}

# cache_tmp NAME: a fresh folder on the cache's own file system, so that a finished result can be renamed into place.
cache_tmp() {
	mkdir -p "$CACHE/tmp"
	mktemp -d "$CACHE/tmp/$1.XXXXXX"
}
