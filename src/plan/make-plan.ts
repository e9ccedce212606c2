/** Makes the probe plan of a Go binary: which instruction of which function, checked against the bytes of the file. */
import { GomapgrowError } from "../errors/error.ts";
import type { GoFunction } from "../gobin/function-table.ts";
import type { GoBinary } from "../gobin/go-binary.ts";
import { GOID_WITNESSES } from "../gobin/goid-evidence.ts";
import { findStackCheck } from "../isa/amd64-stack-check.ts";
import { growthDetails } from "./growth-details.ts";
import { MAP_FUNCTIONS, type MapFunction, REQUIRED } from "./map-functions.ts";
import type { PlannedProbe, ProbePlan } from "./probe-plan.ts";

/** Longest known stack check: 26 bytes (Go 1.15 PIE, frame over StackSmall). */
const PROLOGUE_BYTES = 32;

/** A function of interest: where it is and how it is probed, or why not. */
export interface SurveyedFunction {
	wanted: MapFunction;
	/** Absent when it is not linked in. */
	found?: GoFunction;
	/** A probe, or the reason why there is none. */
	probe: PlannedProbe | string;
}

/** All functions that matter for the map implementation of `binary`; empty when it has none. */
export function surveyFunctions(binary: GoBinary): SurveyedFunction[] {
	const functions = MAP_FUNCTIONS.filter((candidate) => candidate.impl === binary.mapImpl);
	// The witnesses are asked for right after (growthDetails): one search finds all.
	const located = binary.functionsByName([...functions.map((candidate) => candidate.fn), ...GOID_WITNESSES]);
	return functions.map((wanted) => {
		const found = located.get(wanted.fn);
		if (found === undefined) return { wanted, probe: "not linked into this executable" };
		return { wanted, found, probe: planProbe(binary, wanted, found.entry, found.end) };
	});
}

function planProbe(binary: GoBinary, wanted: MapFunction, entry: number, end: number): PlannedProbe | string {
	if (binary.arch !== "amd64") return `${binary.arch} code cannot be probed yet`;
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
	const surveyed = surveyFunctions(binary);
	const details = growthDetails(binary, impl);
	const probes: PlannedProbe[] = [];
	const skipped: { fn: string; reason: string }[] = [];
	for (const { wanted, found, probe } of surveyed) {
		if (typeof probe !== "string") {
			probes.push(details.missing === undefined ? probe : countedOnly(probe));
			continue;
		}
		if (found !== undefined && REQUIRED[impl].includes(wanted.fn)) {
			throw new GomapgrowError("E-BIN-NO-SITES", { wanted: `a safe probe site in ${wanted.fn}`, found: probe });
		}
		skipped.push({ fn: wanted.fn, reason: probe });
	}
	return {
		impl,
		goVersion: binary.version.raw,
		goidOffset: details.goidOffset,
		probes,
		skipped,
		...(details.missing === undefined ? {} : { limits: [details.missing] }),
	};
}

/** A growth function that is counted like the work: nothing but its argument registers is looked at. */
function countedOnly(probe: PlannedProbe): PlannedProbe {
	// hashGrow(t, h) has its type where growWork(t, h, bucket) has it; the swiss growth functions have it where split(t, typ, m) does.
	return { ...probe, tier: "work", role: probe.role === "hashGrow" ? "growWork" : probe.role };
}
