/** Makes the probe plan of a Go binary: which instruction of which function, checked against the bytes of the file. */
import { GomapgrowError } from "../errors/error.ts";
import type { GoBinary } from "../gobin/go-binary.ts";
import { findStackCheck } from "../isa/amd64-stack-check.ts";
import { MAP_FUNCTIONS, type MapFunction, REQUIRED } from "./map-functions.ts";
import type { PlannedProbe, ProbePlan } from "./probe-plan.ts";

/** Longest known stack check: 26 bytes (Go 1.15 PIE, frame over StackSmall). */
const PROLOGUE_BYTES = 32;

function planProbe(binary: GoBinary, wanted: MapFunction, entry: number, end: number): PlannedProbe | string {
	const size = end - entry;
	const fileOffset = binary.fileOffset(entry);
	if (fileOffset === undefined) return "its code is not in the file";
	const code = binary.bytesAt(entry, Math.min(PROLOGUE_BYTES, size));
	const check = findStackCheck(code, size);
	if (check === undefined) {
		const found = Buffer.from(code.subarray(0, 16)).toString("hex");
		return `it does not begin with a known stack check (first bytes ${found})`;
	}
	const { branchOffset, branchLength } = check;
	return {
		fn: wanted.fn,
		role: wanted.role,
		tier: wanted.tier,
		entry,
		site: {
			address: entry + branchOffset,
			fileOffset: fileOffset + branchOffset,
			instruction: `jbe +0x${check.target.toString(16)}`,
			bytes: code.slice(branchOffset, branchOffset + branchLength),
			cost: "emulated",
			reason:
				"branch of the stack check: once per call with the flags test, arguments in place, emulated by the kernel",
		},
		gRegister: check.gRegister,
		argAbi: check.gRegister === "rcx" ? "stack" : "regs",
		callerDepth: wanted.callerDepth,
	};
}

/**
 * The plan for `binary`. Throws E-BIN-ARCH, E-BIN-NO-MAPS (no growth function is linked in) or E-BIN-NO-SITES (a growth function
 * that has to be seen cannot be probed safely).
 */
export function makePlan(binary: GoBinary): ProbePlan {
	if (binary.arch !== "amd64") {
		throw new GomapgrowError("E-BIN-ARCH", {
			wanted: "an amd64 executable",
			found: `${binary.arch}: its code cannot be probed yet`,
		});
	}
	const impl = binary.mapImpl;
	if (impl === undefined) {
		throw new GomapgrowError("E-BIN-NO-MAPS", {
			wanted: "a Go executable that can grow maps (runtime.hashGrow or internal/runtime/maps.(*table).rehash)",
			found: `neither function in this ${binary.version.raw} executable: the linker left them out because no map in it can grow`,
		});
	}
	const functions = MAP_FUNCTIONS.filter((candidate) => candidate.impl === impl);
	const located = binary.functionsByName(functions.map((candidate) => candidate.fn));
	const probes: PlannedProbe[] = [];
	const skipped: { fn: string; reason: string }[] = [];
	for (const wanted of functions) {
		const found = located.get(wanted.fn);
		const probe =
			found === undefined ? "not linked into this executable" : planProbe(binary, wanted, found.entry, found.end);
		if (typeof probe === "string") skipped.push({ fn: wanted.fn, reason: probe });
		else probes.push(probe);
	}
	for (const fn of REQUIRED[impl]) {
		const missing = skipped.find((entry) => entry.fn === fn);
		if (missing !== undefined && located.has(fn)) {
			throw new GomapgrowError("E-BIN-NO-SITES", { wanted: `a safe probe site in ${fn}`, found: missing.reason });
		}
	}
	return { impl, goVersion: binary.version.raw, goidOffset: binary.layouts.g.goid, probes, skipped };
}
