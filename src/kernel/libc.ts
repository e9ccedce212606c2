/** The few functions of the C library that Bun has no API for. */
import { dlopen, read } from "bun:ffi";

const library = dlopen("libc.so.6", {
	__errno_location: { args: [], returns: "ptr" },
	clock_gettime: { args: ["i32", "ptr"], returns: "i32" },
	getxattr: { args: ["cstring", "cstring", "ptr", "usize"], returns: "i64" },
	memfd_create: { args: ["cstring", "u32"], returns: "i32" },
});

/** errno of the last failed call; read it at once. */
export function errno(): number {
	const address = library.symbols.__errno_location();
	return address === null ? 0 : read.i32(address, 0);
}

const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;
const CLOCK_THREAD_CPUTIME_ID = 3;
/** struct timespec: seconds and nanoseconds. */
const timespec = new BigInt64Array(new ArrayBuffer(16));

function clock(id: number): bigint {
	if (library.symbols.clock_gettime(id, timespec) !== 0) return -1n;
	return (timespec[0] ?? 0n) * 1_000_000_000n + (timespec[1] ?? 0n);
}

/** CLOCK_MONOTONIC in nanoseconds: the clock of bpf_ktime_get_ns. Bun's own process.hrtime counts from another moment. */
export function monotonicNs(): bigint {
	return clock(CLOCK_MONOTONIC);
}

/** Nanoseconds since 1970. */
export function wallNs(): bigint {
	return clock(CLOCK_REALTIME);
}

/** Processor time of this thread: what others do meanwhile does not count. */
export function threadCpuNs(): bigint {
	return clock(CLOCK_THREAD_CPUTIME_ID);
}

/** Clock ids of other processes: the inverted PID above three bits (include/linux/posix-timers_types.h). */
const CPUCLOCK_SCHED = 2;

/**
 * Processor time that all threads of a process have used, in nanoseconds; undefined when it is gone. Of a thread that runs at the moment it is what it was at its last
 * tick, some milliseconds ago.
 */
export function processCpuNs(pid: number): number | undefined {
	const time = clock((~pid << 3) | CPUCLOCK_SCHED);
	return time < 0n ? undefined : Number(time);
}

/** Whether who executes this file gets capabilities by it (capabilities(7), "File capabilities"). */
export function hasFileCapabilities(path: string): boolean {
	const [file, name] = [Buffer.from(`${path}\0`), Buffer.from("security.capability\0")];
	return Number(library.symbols.getxattr(file, name, null, 0)) > 0;
}

const MFD_CLOEXEC = 1;
const MFD_NOEXEC_SEAL = 8;
const MFD_EXEC = 16;
const EINVAL = 22;

/**
 * A nameless file in memory, which may be executed or not; that is left out where the kernel does not know it (before
 * Linux 6.3). Returns the descriptor or -errno.
 */
export function memfdCreate(name: string, executable = false): number {
	const cname = Buffer.from(`${name}\0`);
	let fd = library.symbols.memfd_create(cname, MFD_CLOEXEC | (executable ? MFD_EXEC : MFD_NOEXEC_SEAL));
	if (fd < 0 && errno() === EINVAL) fd = library.symbols.memfd_create(cname, MFD_CLOEXEC);
	return fd < 0 ? -errno() : fd;
}
