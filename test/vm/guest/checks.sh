#!/bin/busybox sh
# Runs in the test machine. Leaves the output, errors and exit code of each step in /out; what they should be is decided outside.
# /programs has the programs, NAME-GO; /sites of some of them address and length of every instruction that is probed.
out=/out

# begin NAME: says when the check begins.
begin() {
	echo "vm: $1 after $(cut -d ' ' -f 1 /proc/uptime) s"
}

# step NAME COMMAND...
step() {
	name=$1
	shift
	begin $name
	timeout 300 "$@" >$out/$name.out 2>$out/$name.err
	echo $? >$out/$name.code
}

# wait_for FILE TEXT PID: until a line of the file begins with it; not longer than the process that writes it runs, or 240 s.
wait_for() {
	n=0
	until grep -q "^$2" "$1" 2>/dev/null; do
		n=$((n + 1))
		if [ $n -gt 2400 ] || ! kill -0 $3 2>/dev/null; then
			echo "no line $2 in $1" >>$out/faults
			return 1
		fi
		sleep 0.1
	done
}

# site_bytes PROGRAM PID: the process's memory at each of the program's sites, one after another.
site_bytes() {
	while read -r address length; do
		dd if=/proc/$2/mem bs=1 skip=$address count=$length 2>/dev/null
	done </sites/$1 | od -An -v -tx1
}

# start_counted PROGRAM OUTPUT ARGS...: starts it and waits until it waits for a line, which `say` writes. Sets $target.
start_counted() {
	program=$1
	output=$2
	shift 2
	rm -f /tmp/in
	mkfifo /tmp/in
	/programs/$program "$@" </tmp/in >$output 2>&1 &
	target=$!
	exec 3>/tmp/in
	wait_for $output '{"phase":"ready"' $target
}

say() {
	echo "$1" >&3
	exec 3>&-
}

# start_watch NAME PID: starts watching the process, until the probes count. Sets $watch.
start_watch() {
	gomapgrow watch --json --budget off --interval 100ms $2 >$out/$1.out 2>$out/$1.err &
	watch=$!
	wait_for $out/$1.out '{"type":"window"' $watch
}

# Every call is counted twice, and the program itself counts it, too.
verify_counted() {
	start_counted counted-$1 $out/verify-$1.target 1 1000
	gomapgrow verify --json --duration 1000s $target >$out/verify-$1.out 2>$out/verify-$1.err &
	verify=$!
	wait_for $out/verify-$1.err 'counting ' $verify
	say go
	wait $verify
	echo $? >$out/verify-$1.code
	wait $target
	echo $? >$out/verify-$1.target-code
}

# Every call is counted that the program itself counted since it was ready, and none of another process of the same file.
watch_counted() {
	start_counted counted-$1 $out/watch-$1.target 1 1000
	start_watch watch-$1 $target
	echo go | /programs/counted-$1 1 100 >$out/bystander-$1.out
	echo $? >$out/bystander-$1.code
	say go
	wait $watch
	echo $? >$out/watch-$1.code
	wait $target
	echo $? >$out/watch-$1.target-code
}

# The probes are taken out when the observation ends, and when it is killed; the program goes on.
detach() {
	start_counted counted-$1 $out/detach-$1.target 1 100
	site_bytes counted-$1 $target >$out/detach-$1.before
	start_watch detach-$1 $target
	site_bytes counted-$1 $target >$out/detach-$1.during
	kill -INT $watch
	wait $watch
	echo $? >$out/detach-$1.code
	site_bytes counted-$1 $target >$out/detach-$1.after
	start_watch killed-$1 $target
	kill -KILL $watch
	wait $watch
	echo $? >$out/killed-$1.code
	# The kernel closes the links some time after the process has ended.
	n=0
	until site_bytes counted-$1 $target >$out/detach-$1.killed && cmp -s $out/detach-$1.killed $out/detach-$1.before; do
		n=$((n + 1))
		[ $n -le 50 ] || break
		sleep 0.1
	done
	say go
	wait $target
	echo $? >$out/detach-$1.target-code
}

step doctor gomapgrow doctor --json
step run-pie gomapgrow run --json --budget off -- /programs/grow-pie int 2000
for program in /programs/counted-*; do
	version=${program##*-}
	step run-$version gomapgrow run --json --budget off -- /programs/grow-$version int 2000
	step iterate-$version gomapgrow run --json --budget off --iter -- /programs/iterate-$version one-goroutine early-break nested under-lock afterwards other-map moving-stack reflection
	step timed-$version gomapgrow run --json --budget off -- /programs/timed-$version 1 $out/timed-$version.truth
	begin watch-$version
	watch_counted $version
	begin verify-$version
	verify_counted $version
	[ -e /sites/counted-$version ] || continue
	begin detach-$version
	detach $version
done
