#!/bin/busybox sh
# Runs in a test machine whose kernel is locked down. Leaves the output, errors and exit code of each step in /out; what they should be is decided outside.
out=/out
setpriv=/programs/setpriv
run="gomapgrow run --json --budget off -- /programs/grow int 2000"

# step NAME COMMAND...
step() {
	name=$1
	shift
	echo "vm: $name"
	timeout 300 "$@" >$out/$name.out 2>$out/$name.err
	echo $? >$out/$name.code
}

mount -t securityfs none /sys/kernel/security
cat /sys/kernel/security/lockdown >$out/lockdown
step run $run
step old gomapgrow run --json --budget off -- /programs/grow-old int 2000
/programs/demo -for 300s >/dev/null 2>&1 &
demo=$!
step snapshot gomapgrow snapshot --json $demo
kill $demo
step pid-namespace unshare -p -f -m sh -c "mount -t proc proc /proc; exec $run"

# Locked memory as a login shell has it, and nobody to raise it.
without="$setpriv --bounding-set=-sys_resource --inh-caps=-sys_resource"
(
	ulimit -l 64
	step memlock $without $run
	step memlock-doctor $without gomapgrow doctor
)

nobody="$setpriv --reuid=65534 --regid=65534 --clear-groups"
for allowed in 0 2; do
	echo $allowed >/proc/sys/kernel/unprivileged_bpf_disabled
	step unprivileged-$allowed $nobody --inh-caps=-all --bounding-set=-all $run
done
# The least that it takes; 1 cannot be taken back.
echo 1 >/proc/sys/kernel/unprivileged_bpf_disabled
least=-all,+bpf,+perfmon
(
	ulimit -l unlimited
	echo 3 >/proc/sys/kernel/perf_event_paranoid
	step paranoid $nobody --inh-caps=$least --ambient-caps=$least --bounding-set=$least $run
	echo 2 >/proc/sys/kernel/perf_event_paranoid
	step least $nobody --inh-caps=$least --ambient-caps=$least --bounding-set=$least $run
	export GOMAPGROW_ATTACH=perf-address
	step perf $nobody --inh-caps=$least --ambient-caps=$least --bounding-set=$least $run
	least=$least,+sys_admin
	step perf-admin $nobody --inh-caps=$least --ambient-caps=$least --bounding-set=$least $run
)
