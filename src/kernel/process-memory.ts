/** The memory of another process, read in one go for many ranges and without stopping it. */
import { GomapgrowError } from "../errors/error.ts";
import { ERRNO, errnoName } from "./errno.ts";
import { libbpf } from "./libbpf.ts";

/** A part of the memory: run-time address and length in bytes. */
export interface MemoryRange {
	readonly address: number;
	readonly length: number;
}

/** More at once is never meant. */
const MAX_BYTES = 256 << 20;
const TWO_32 = 4294967296;

/**
 * Needs what ptrace needs (PTRACE_MODE_ATTACH_REALCREDS), but does not attach: root, CAP_SYS_PTRACE, or the same user where
 * kernel.yama.ptrace_scope is 0.
 */
export class ProcessMemory {
	readonly #pid: number;

	constructor(pid: number) {
		this.#pid = pid;
	}

	/**
	 * The bytes of each range; undefined for one that is not wholly mapped. Ranges are read one after the other while the process
	 * runs: what they say may not fit together. Throws E-TARGET-GONE, E-TARGET-DENIED, E-IO.
	 */
	read(ranges: readonly MemoryRange[]): (Uint8Array | undefined)[] {
		const words = new Uint32Array(new ArrayBuffer(ranges.length * 16));
		let total = 0;
		let word = 0;
		for (const { address, length } of ranges) {
			words[word] = address % TWO_32;
			words[word + 1] = address / TWO_32;
			words[word + 2] = length;
			word += 4;
			total += length;
			if (!(length >= 0 && total <= MAX_BYTES)) {
				throw new GomapgrowError("E-INTERNAL", { wanted: `at most ${MAX_BYTES} bytes at once`, found: `${total}` });
			}
		}
		if (total === 0) return ranges.map(() => new Uint8Array(0));
		const out = new Uint8Array(new ArrayBuffer(total));
		const whole = new Uint8Array(new ArrayBuffer(ranges.length));
		const result = libbpf().gmg_read_memory(this.#pid, words, ranges.length, out, whole);
		if (result < 0) throw this.#error(result);
		let at = 0;
		return ranges.map(({ length }, index) => {
			const bytes = out.subarray(at, at + length);
			at += length;
			return whole[index] === 1 ? bytes : undefined;
		});
	}

	/**
	 * The same without an object for each range: `ranges` has four words for each, address (low, high), length and 0;
	 * the bytes are put into `out` one behind the other, and complete[n] is 1 when all of range n is mapped. Throws as
	 * `read`.
	 */
	readBatch(ranges: Uint32Array, count: number, out: Uint8Array, complete: Uint8Array): void {
		if (out.length > MAX_BYTES) {
			throw new GomapgrowError("E-INTERNAL", {
				wanted: `at most ${MAX_BYTES} bytes at once`,
				found: `${out.length}`,
			});
		}
		const result = libbpf().gmg_read_memory(this.#pid, ranges, count, out, complete);
		if (result < 0) throw this.#error(result);
	}

	#error(result: number): GomapgrowError {
		const wanted = `to read the memory of process ${this.#pid}`;
		if (result === -ERRNO.EPERM) {
			return new GomapgrowError("E-TARGET-DENIED", {
				wanted,
				found: "that it belongs to someone else, or that kernel.yama.ptrace_scope forbids it (EPERM)",
				mend: "sudo gomapgrow …   # in a container: docker run --cap-add=SYS_PTRACE",
			});
		}
		if (result === -ERRNO.ESRCH) {
			return new GomapgrowError("E-TARGET-GONE", { wanted, found: `no process ${this.#pid}` });
		}
		return new GomapgrowError("E-IO", { wanted, found: errnoName(result) });
	}
}
