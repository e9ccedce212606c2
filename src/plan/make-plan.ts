/** Makes the probe plan of a Go binary: which instruction of which function, checked against the bytes of the file. */
import { GomapgrowError } from "../errors/error.ts";
import { CGO_WITNESSES } from "../gobin/cgo/cgo-frames.ts";
import type { GoBinary, MapImpl } from "../gobin/go-binary.ts";
import { sharedRuntime } from "../gobin/platform.ts";
import { keepsStaleFramePointers } from "../gobin/stale-frame-pointers.ts";
import { MAP_FUNCTIONS } from "../gomap/functions.ts";
import { ARCHITECTURES } from "./architecture.ts";
import { growthDetails } from "./growth-details.ts";
import { copyLimits, type SurveyedCopy, surveyCopies } from "./inlined-copies.ts";
import { MAKE_WITNESSES, makeLimits, surveyMakes, withoutLinks } from "./make-sites.ts";
import { planEntry } from "./plan-probe.ts";
import type { PlannedProbe, ProbePlan } from "./probe-plan.ts";
import type { SurveyedFunction } from "./surveyed.ts";

/** All that planning looks for: one search finds all. */
const WANTED: readonly string[] = [...MAP_FUNCTIONS.map(({ fn }) => fn), ...MAKE_WITNESSES, ...CGO_WITNESSES];

export interface PlanOptions {
	/** Probe the functions that iterate over maps, too. */
	iterations?: boolean;
	/** Probe the functions that make maps, too. */
	makes?: boolean;
	/** What `surveyFunctions` found, when it was asked before. */
	surveyed?: readonly SurveyedFunction[];
	/** What `surveyCopies` found, likewise. */
	copies?: readonly SurveyedCopy[];
}

/** The functions that matter for the map implementation of `binary`, without their exits; empty when it has none. */
function surveyEntries(binary: GoBinary): SurveyedFunction[] {
	binary.expectFunctions(WANTED);
	const functions = MAP_FUNCTIONS.filter((candidate) => candidate.impl === binary.mapImpl);
	const located = binary.functionsByName(functions.map((candidate) => candidate.fn));
	return functions.map((wanted): SurveyedFunction => {
		const found = located.get(wanted.fn);
		if (found === undefined) return { wanted, probe: "not linked into this executable" };
		return { wanted, found, probe: planEntry(binary, wanted, found.entry, found.end) };
	});
}

/** All functions that matter for the map implementation of `binary`; empty when it has none. */
export function surveyFunctions(binary: GoBinary): SurveyedFunction[] {
	const surveyed = surveyEntries(binary);
	const timed = surveyed.flatMap(({ wanted, probe }) =>
		typeof probe === "string" || wanted.tier === "iteration" ? [] : [probe],
	);
	const exits = ARCHITECTURES[binary.arch].planExits(
		binary,
		timed,
		new Map(surveyed.flatMap(({ found }) => (found === undefined ? [] : [[found.name, found.end]]))),
	);
	return surveyed.map((entry) =>
		typeof entry.probe === "string" ? entry : { ...entry, probe: { ...entry.probe, ...exits.get(entry.probe.fn) } },
	);
}

/** The map implementation of a program whose maps can grow. Throws E-BIN-NO-MAPS. */
function requireMaps(binary: GoBinary): MapImpl {
	binary.expectFunctions(WANTED);
	const impl = binary.mapImpl;
	const runtime = impl === undefined ? sharedRuntime(binary.elf) : undefined;
	if (runtime !== undefined) {
		throw new GomapgrowError("E-BIN-NO-MAPS", {
			wanted: "a Go executable with a runtime of its own",
			found: `one that is linked with -linkshared: its maps grow in ${runtime}, which is not looked into`,
			advice: "build the program without -linkshared",
		});
	}
	if (impl === undefined) {
		throw new GomapgrowError("E-BIN-NO-MAPS", {
			wanted: "a Go executable that can grow maps (runtime.hashGrow or internal/runtime/maps.(*table).rehash)",
			found: `no such function in this ${binary.version.raw} executable: the linker left them out because no map in it can grow`,
		});
	}
	return impl;
}

/**
 * Without these a growth cannot be seen; the others exist only when the program needs them (dead code elimination, Go version).
 * Throws E-BIN-NO-SITES.
 */
function requireSite({ wanted, found, probe }: SurveyedFunction): void {
	if (typeof probe !== "string" || found === undefined || wanted.tier !== "growth") return;
	throw new GomapgrowError("E-BIN-NO-SITES", { wanted: `a safe probe site in ${wanted.fn}`, found: probe });
}

/**
 * The map implementation of a program that can be planned. Throws as `makePlan`, but takes a part of its time: exits
 * and inlined copies are not looked for.
 */
export function requirePlannable(binary: GoBinary): MapImpl {
	const impl = requireMaps(binary);
	for (const surveyed of surveyEntries(binary)) requireSite(surveyed);
	return impl;
}

/**
 * The plan for `binary`. Throws E-BIN-NO-MAPS (no growth function is linked in) or E-BIN-NO-SITES (a growth function
 * that has to be seen cannot be probed safely).
 */
export function makePlan(binary: GoBinary, options: PlanOptions = {}): ProbePlan {
	const impl = requireMaps(binary);
	const surveyed = options.surveyed ?? surveyFunctions(binary);
	const details = growthDetails(binary, impl);
	const probes: PlannedProbe[] = [];
	const skipped: { fn: string; reason: string }[] = [];
	for (const entry of surveyed) {
		const { wanted, probe } = entry;
		// Without details a growth has no seed to tell its map by.
		if (wanted.tier === "iteration" && (options.iterations !== true || details.missing !== undefined)) continue;
		if (typeof probe !== "string") {
			probes.push(details.missing === undefined ? probe : countedOnly(probe));
			continue;
		}
		requireSite(entry);
		skipped.push({ fn: wanted.fn, reason: probe });
	}
	const unseen: string[] = [];
	for (const { wanted, copy, probes: copied } of options.copies ?? surveyCopies(binary)) {
		if (wanted.tier === "iteration" && (options.iterations !== true || details.missing !== undefined)) continue;
		if (typeof copied === "string") unseen.push(`${wanted.fn} inlined into ${copy.outer.name}: ${copied}`);
		else probes.push(...copied.map((probe) => (details.missing === undefined ? probe : countedOnly(probe))));
	}
	const makes = options.makes === true && details.missing === undefined ? plannedMakes(binary, skipped) : [];
	const limits = [
		...(makes.length === 0 ? [] : makeLimits(makes)),
		...(details.missing === undefined ? [] : [details.missing]),
		...copyLimits(probes),
		...(unseen.length === 0 ? [] : [`not all growths can be seen: ${unseen.join("; ")}`]),
	];
	return {
		impl,
		goVersion: binary.version.raw,
		...(details.goroutine === undefined ? {} : { goroutine: details.goroutine }),
		probes: [...probes, ...makes],
		...(keepsStaleFramePointers(binary) ? { ownStackOnly: true as const } : {}),
		skipped,
		...(unseen.length === 0 ? {} : { unseen }),
		...(limits.length === 0 ? {} : { limits }),
	};
}

/** The sites where maps are made. */
function plannedMakes(binary: GoBinary, skipped: { fn: string; reason: string }[]): PlannedProbe[] {
	const probes: PlannedProbe[] = [];
	for (const { wanted, probe } of surveyMakes(binary)) {
		if (typeof probe === "string") skipped.push({ fn: wanted.fn, reason: probe });
		else probes.push(probe);
	}
	return probes.some(({ role }) => role === "collect") ? probes : probes.map(withoutLinks);
}

/** A growth function that is counted like the work: nothing but its argument registers is looked at. */
function countedOnly(probe: PlannedProbe): PlannedProbe {
	// hashGrow(t, h) has its type where growWork(t, h, bucket) has it; the swiss growth functions have it where split(t, typ, m) does.
	return {
		...probe,
		tier: "work",
		// A copy that knows its map by an address on the stack has the type where a call has its first argument.
		role: probe.role === "hashGrow" || (probe.mapAt !== undefined && probe.role !== "count") ? "growWork" : probe.role,
		exits: [],
		exitsMissing: "which goroutine a call belongs to cannot be read",
	};
}
