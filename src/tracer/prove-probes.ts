/**
 * Whether the probes are in the code that the process executes. The kernel puts them into the pages of the file
 * that was opened; the process may have mapped another one, because an overlay has copied it up since, or have
 * moved its code into memory of its own.
 */
import { GomapgrowError } from "../errors/error.ts";
import type { MemoryRange } from "../kernel/process-memory.ts";
import type { PlannedProbe } from "../plan/probe-plan.ts";

/** INT3, and the call that Linux 6.18 turns a 5-byte nop into (arch/x86/kernel/uprobes.c). */
const BREAKPOINTS = new Set([0xcc, 0xe8]);

export interface ProofQuestion {
	pid: number;
	/** Path of the executable as the user knows it. */
	exe: string;
	/** Those that are attached. */
	probes: readonly Pick<PlannedProbe, "fn" | "site">[];
	arch: string;
	bias: number;
	/** Reads the memory of the process; undefined for a page that cannot be read. */
	read(ranges: readonly MemoryRange[]): (Uint8Array | undefined)[];
}

/**
 * Compares the instruction at each site with the file's: a probe has changed its first bytes. Undefined when all
 * are in; else why that is not certain. Throws E-BIN-CHANGED when one is not, and what `read` throws.
 */
export function proveProbes({ pid, exe, probes, arch, bias, read }: ProofQuestion): string | undefined {
	const bytes = read(probes.map(({ site }) => ({ address: site.address + bias, length: arch === "amd64" ? 1 : 4 })));
	const unread: string[] = [];
	for (const [index, { fn, site }] of probes.entries()) {
		const now = bytes[index];
		if (now === undefined || now.length === 0) {
			unread.push(fn);
			continue;
		}
		const isOwn = Buffer.from(now).equals(Buffer.from(site.bytes.subarray(0, now.length)));
		if (isOwn) {
			throw new GomapgrowError("E-BIN-CHANGED", {
				wanted: `a probe at ${fn} in the code that process ${pid} executes`,
				found: `the instruction of ${exe} itself: the process has mapped another copy of the file (an overlay has copied it up), or has moved its code`,
				advice: "restart the process, then watch it",
			});
		}
		if (arch === "amd64" && !BREAKPOINTS.has(now[0] ?? 0)) unread.push(fn);
	}
	return unread.length === 0
		? undefined
		: `not proven that all calls are seen: the code of ${unread.join(", ")} could not be read in the process`;
}
