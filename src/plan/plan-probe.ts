/** The site at the beginning of a function: the branch of its stack check, or what stands for it. */
import type { GoBinary } from "../gobin/go-binary.ts";
import type { MapFunction } from "../gomap/functions.ts";
import { ARCHITECTURES } from "./architecture.ts";
import type { PlannedProbe } from "./probe-plan.ts";

/** Its entry, or the reason why that cannot be probed. */
export function planEntry(binary: GoBinary, wanted: MapFunction, entry: number, end: number): PlannedProbe | string {
	const architecture = ARCHITECTURES[binary.arch];
	const size = end - entry;
	const fileOffset = binary.fileOffset(entry);
	if (fileOffset === undefined) return "its code is not in the file";
	const code = binary.bytesAt(entry, Math.min(architecture.stackCheckBytes, size));
	const check = architecture.findStackCheck(code, size);
	const common = { fn: wanted.fn, role: wanted.role, tier: wanted.tier, entry, callerDepth: wanted.callerDepth };
	if (check === undefined) {
		const otherwise = architecture.entryWithoutCheck(binary, entry, end);
		if (typeof otherwise !== "string") return { ...common, ...otherwise, everyPass: true, exits: [] };
		const found = Buffer.from(code.subarray(0, 16)).toString("hex");
		return `it does not begin with a known stack check (first bytes ${found}), and ${otherwise}`;
	}
	const { branchOffset, branchLength } = check;
	return {
		...common,
		site: {
			address: entry + branchOffset,
			fileOffset: fileOffset + branchOffset,
			instruction: `${architecture.branch} +0x${check.target.toString(16)}`,
			bytes: code.slice(branchOffset, branchOffset + branchLength),
			cost: "emulated",
			reason:
				"branch of the stack check: once per call with the flags test, arguments in place, emulated by the kernel",
		},
		gRegister: check.gRegister,
		...(check.fsOffset === undefined ? {} : { fsOffset: check.fsOffset }),
		argAbi: architecture.argAbi(binary.version, check),
		exits: [],
	};
}
