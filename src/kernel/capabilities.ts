/** Capabilities of this process (capabilities(7)) and what is missing for attaching uprobes. */
import { readFileSync } from "node:fs";
import { GomapgrowError } from "../errors/error.ts";

const BITS = { CAP_SYS_ADMIN: 21, CAP_PERFMON: 38, CAP_BPF: 39 } as const;
export type Capability = keyof typeof BITS;

/** The effective set, from CapEff of /proc/self/status. Throws E-IO. */
export function effectiveCapabilities(): Set<Capability> {
	let text: string;
	try {
		text = readFileSync("/proc/self/status", "utf8");
	} catch (cause) {
		throw new GomapgrowError("E-IO", {
			wanted: "to read /proc/self/status",
			found: String(cause),
			mend: "mount -t proc proc /proc",
			cause,
		});
	}
	const hex = /^CapEff:\s*([0-9a-f]+)$/m.exec(text)?.[1] ?? "0";
	const mask = BigInt(`0x${hex}`);
	const names = Object.keys(BITS) as Capability[];
	return new Set(names.filter((name) => (mask >> BigInt(BITS[name])) & 1n));
}

/** What is missing: nothing with CAP_SYS_ADMIN, otherwise of CAP_BPF (load programs) and CAP_PERFMON (attach, read user memory). */
export function missingCapabilities(have: ReadonlySet<Capability>): Capability[] {
	if (have.has("CAP_SYS_ADMIN")) return [];
	return (["CAP_BPF", "CAP_PERFMON"] as const).filter((name) => !have.has(name));
}
