/** Where running threads are: registers and stack of one moment, taken by a timer interrupt. */
import { errnoName } from "./errno.ts";
import { libbpf } from "./libbpf.ts";

/** As native/sample.c has it. */
const MAX_THREADS = 64;
/** Of each stack; the size of a record is a 16-bit number. */
const STACK_BYTES = 48 << 10;
/** A thread that runs is caught after 50 µs; one that waits for a processor may get none for long. */
const WAIT_US = 10_000;
const TWO_32 = 4294967296;

export interface ThreadSample {
	pc: number;
	sp: number;
	/** Memory from `sp` on. */
	stack: Uint8Array;
}

/**
 * By thread id: a sample, or the reason why there is none. It takes 10 ms at most. `tids`: of the whole system's PID namespace, 64 are
 * looked at.
 */
export function sampleThreads(tids: readonly number[]): Map<number, ThreadSample | string> {
	const taken = tids.slice(0, MAX_THREADS);
	const outcome = new Map<number, ThreadSample | string>(
		tids.slice(MAX_THREADS).map((tid) => [tid, `more than ${MAX_THREADS} threads run`]),
	);
	if (taken.length === 0) return outcome;
	const ids = new Int32Array(new ArrayBuffer(taken.length * 4));
	ids.set(taken);
	const results = new Int32Array(new ArrayBuffer(taken.length * 4));
	const registers = new Uint32Array(new ArrayBuffer(taken.length * 24));
	const stacks = new Uint8Array(new ArrayBuffer(taken.length * STACK_BYTES));
	libbpf().gmg_sample_threads(ids, taken.length, WAIT_US, STACK_BYTES, results, registers, stacks);
	taken.forEach((tid, index) => {
		const result = results[index] ?? 0;
		const word = (number: number): number =>
			(registers[index * 6 + number * 2] ?? 0) + (registers[index * 6 + number * 2 + 1] ?? 0) * TWO_32;
		if (result === 1) {
			const at = index * STACK_BYTES;
			outcome.set(tid, { pc: word(0), sp: word(1), stack: stacks.subarray(at, at + word(2)) });
		} else {
			outcome.set(
				tid,
				result === 0 ? "its thread got no processor meanwhile" : `perf_event_open: ${errnoName(result)}`,
			);
		}
	});
	return outcome;
}
