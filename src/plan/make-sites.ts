/** Where maps are made: the sites of the functions that make them, which are probed when makes are watched. */
import type { GoBinary } from "../gobin/go-binary.ts";
import { MAKE_FUNCTIONS, type MapFunction, type MapImpl } from "../gomap/functions.ts";
import { COPIED_FIELDS } from "../gomap/header.ts";
import { ARCHITECTURES } from "./architecture.ts";
import { planEntry } from "./plan-probe.ts";
import type { MakeSite, PlannedProbe } from "./probe-plan.ts";
import { findSeedCall, RANDOM_FUNCTIONS } from "./seed-call.ts";
import type { SurveyedFunction } from "./surveyed.ts";

/** hmap.hash0 has 32 bits, Map.seed 64. */
const SEED: Record<MapImpl, { at: number; bytes: number }> = {
	classic: { at: COPIED_FIELDS.hmap.hash0, bytes: 4 },
	swiss: { at: COPIED_FIELDS.swissMap.seed, bytes: 8 },
};

/** First release that passes arguments in registers and draws seeds with a call. */
const CALLS_SINCE = 17;

/** All functions that make maps of `binary`, and the one that tells when headers are used again. */
export function surveyMakes(binary: GoBinary): SurveyedFunction[] {
	const functions = MAKE_FUNCTIONS.filter(({ impl }) => impl === binary.mapImpl);
	const located = binary.functionsByName(functions.map(({ fn }) => fn));
	return functions.map((wanted): SurveyedFunction => {
		const found = located.get(wanted.fn);
		if (found === undefined) return { wanted, probe: "not linked into this executable" };
		const probe = planMake(binary, wanted, found.entry, found.end);
		const surveyed = { wanted, found, probe };
		return wanted.role === "makeSmall" && wanted.impl === "swiss" ? withHeader(binary, surveyed) : surveyed;
	});
}

/** What makemap_small is made of since Go 1.24: not inlined in a program that is built without optimisation. */
const EMPTY_MAP = "internal/runtime/maps.NewEmptyMap";

/** All that this looks for. */
export const MAKE_WITNESSES: readonly string[] = [
	...MAKE_FUNCTIONS.map(({ fn }) => fn),
	...RANDOM_FUNCTIONS,
	EMPTY_MAP,
];

/** The function that allocates the map, where the one that is called does not know it. */
function withHeader(binary: GoBinary, outer: SurveyedFunction): SurveyedFunction {
	if (typeof outer.probe !== "string" && outer.probe.make?.headerAt !== undefined) return outer;
	const found = binary.functionsByName([EMPTY_MAP]).get(EMPTY_MAP);
	if (found === undefined) return outer;
	const wanted = { ...outer.wanted, fn: EMPTY_MAP };
	const probe = planMake(binary, wanted, found.entry, found.end);
	return typeof probe === "string" || probe.make?.headerAt === undefined ? outer : { wanted, found, probe };
}

function planMake(binary: GoBinary, wanted: MapFunction, entry: number, end: number): PlannedProbe | string {
	const atEntry = planEntry(binary, wanted, entry, end);
	if (wanted.role === "collect") return atEntry;
	const seed = SEED[wanted.impl];
	const hinted = wanted.role === "make";
	const call = binary.version.minor < CALLS_SINCE ? "" : findSeedCall({ binary, entry, end, seed, hinted });
	const fileOffset = binary.fileOffset(entry);
	if (typeof call === "string" || fileOffset === undefined) {
		return typeof atEntry === "string" ? atEntry : { ...atEntry, make: {} };
	}
	const { offset, length, text, headerAt, hintAt, typeAt } = call;
	const make: MakeSite = {
		...{ framed: true, headerAt },
		...(hintAt === undefined || typeAt === undefined ? {} : { hintAt, typeAt }),
	};
	return {
		...{ fn: wanted.fn, role: wanted.role, tier: wanted.tier, entry, callerDepth: wanted.callerDepth, make },
		site: {
			address: entry + offset,
			fileOffset: fileOffset + offset,
			instruction: text,
			bytes: binary.bytesAt(entry + offset, length),
			cost: "emulated",
			reason: "the call that draws the map's hash seed: once per map, its address in the frame, emulated by the kernel",
		},
		everyPass: true,
		gRegister: binary.arch === "amd64" ? "r14" : "x28",
		argAbi: ARCHITECTURES[binary.arch].argAbi(binary.version, {
			...{ branchOffset: 0, branchLength: 0, target: 0 },
			gRegister: binary.arch === "amd64" ? "r14" : "x28",
		}),
		exits: [],
	};
}

/** What watching makes of this program cannot show. */
export function makeLimits(probes: readonly PlannedProbe[]): string[] {
	const makes = probes.filter(({ role }) => role === "makeSmall" || role === "make");
	const unlinked = makes.filter(({ make }) => make?.headerAt === undefined).map(({ fn }) => fn);
	return [
		"maps that their function keeps on its stack are counted only where a hint above 8 is given",
		...(unlinked.length === 0
			? []
			: [
					`maps made by ${unlinked.join(" and ")} are counted, but their sizes and growths are not linked to the line that makes them`,
				]),
	];
}

/** Without the moment at which garbage is freed a map cannot be told from a later one at its address. */
export function withoutLinks(probe: PlannedProbe): PlannedProbe {
	if (probe.make?.headerAt === undefined) return probe;
	const { headerAt: _, ...make } = probe.make;
	return { ...probe, make };
}
