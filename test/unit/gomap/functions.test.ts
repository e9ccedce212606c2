/**
 * The table of Go's map functions, against the functions, their sources and their calls in programs of all releases.
 */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { openGoBinary } from "../../../src/gobin/go-binary.ts";
import {
	isGrowthCode,
	isInnerCall,
	isMapCode,
	MAP_FUNCTIONS,
	type MapFunction,
	mapCodeOf,
	mapFunction,
	movesEntries,
	outerFunctionOf,
	repeatsWork,
	slotOf,
	startsGrowth,
} from "../../../src/gomap/functions.ts";
import { NO_SLOT, SLOTS } from "../../../src/kernel/wire.ts";
import { fileSource, GO_VERSIONS, goBuild, goTool } from "../../support/go-binaries.ts";

setDefaultTimeout(120_000);

const BUILDS = [
	...GO_VERSIONS.map((version) => ({ version, experiment: undefined })),
	...["1.24", "1.25"].map((version) => ({ version, experiment: "noswissmap" })),
];

/** Where Go's map code is written. */
const MAP_SOURCE = /\/src\/(runtime\/map(_\w+)?\.go|internal\/runtime\/maps\/\w+\.(go|s))$/;
/** Its wrappers in reflect, which share their files with other code. */
const REFLECT_SOURCE = /\/src\/reflect\/(map(_\w+)?|value)\.go$/;
/** Functions that maps have in other files: errors, and what the runtime lends to their package (go:linkname). */
const ELSEWHERE = /^(runtime\.map(KeyError2?|initnoop)|internal\/runtime\/maps\.[\w()*.]+)$/;
const GROWTH_NAME = /grow|evacuat|rehash|split|prune/i;
/** They ask, count or allocate only, or are called by a function of the table alone. */
const GROWS_NOTHING = new Set([
	...["evacuated", "bucketEvacuated", "advanceEvacuationMark", "(*hmap).growing", "(*hmap).sameSizeGrow"].map(
		(name) => `runtime.${name}`,
	),
	...["(*Map).growToSmall", "(*Map).installTableSplit", "(*table).resetGrowthLeft", "(*table).maxGrowthLeft"].map(
		(name) => `internal/runtime/maps.${name}`,
	),
	"internal/runtime/maps.(*Iter).grownKeyElem",
]);
const OBJDUMP = "^(runtime|internal/runtime/maps)\\.[^gstm]*(map|[mM]ap|grow|evac|Iter|table)";

interface Seen {
	/** Functions that have code, with the file that their own code is from. */
	own: Map<string, string>;
	/** Functions that are inlined into map code, with their file. */
	inlined: Map<string, string>;
	/** Who calls the function, by the calls in the code of runtime and maps. */
	callers: Map<string, Set<string>>;
}

function lookAt(version: string, experiment: string | undefined): Seen {
	const path = goBuild({ version, program: "chains", ...(experiment === undefined ? {} : { experiment }) });
	const binary = openGoBinary(fileSource(path));
	const [own, inlined, callers] = [
		new Map<string, string>(),
		new Map<string, string>(),
		new Map<string, Set<string>>(),
	];
	for (const prefix of ["runtime.", "internal/runtime/maps.", "reflect.", "maps."]) {
		for (const { name, entry, end } of binary.functionsWithPrefix(prefix)) {
			const outermost = binary.symbolize(entry).at(-1);
			own.set(name, outermost?.file ?? "");
			if (!MAP_SOURCE.test(outermost?.file ?? "")) continue;
			for (let pc = entry; pc < end; pc += 3) {
				for (const { fn, file } of binary.symbolize(pc).slice(0, -1)) inlined.set(fn, file ?? "");
			}
		}
	}
	const code = goTool(version, ["tool", "objdump", "-s", OBJDUMP, path]);
	let caller = "";
	for (const line of code.split("\n")) {
		caller = /^TEXT (\S+)\(SB\)/.exec(line)?.[1] ?? caller;
		const callee = /\sCALL (\S+)\(SB\)/.exec(line)?.[1];
		if (callee !== undefined && callee !== caller) callers.set(callee, (callers.get(callee) ?? new Set()).add(caller));
	}
	return { own, inlined, callers };
}
describe.each(BUILDS)("Go $version $experiment", ({ version, experiment }) => {
	const { own, inlined, callers } = lookAt(version, experiment);
	const all = [...own, ...inlined];
	const impl = own.has("runtime.hashGrow") ? "classic" : "swiss";
	const table = MAP_FUNCTIONS.filter((each) => each.impl === impl);

	test("everything that is written in the files of maps is map code", () => {
		expect(all.length).toBeGreaterThan(500);
		expect(all.filter(([fn, file]) => MAP_SOURCE.test(file) && !isMapCode(fn))).toEqual([]);
	});

	test("and nothing else, but its wrappers and what maps have elsewhere", () => {
		const other = all.filter(([fn, file]) => isMapCode(fn) && !MAP_SOURCE.test(file) && !REFLECT_SOURCE.test(file));
		expect(other.map(([fn]) => fn).filter((fn) => !ELSEWHERE.test(fn))).toEqual([]);
	});

	test("what grows maps is in the table, by its names", () => {
		const named = all.map(([fn]) => fn).filter((fn) => isMapCode(fn) && GROWTH_NAME.test(fn));
		expect(named.filter((fn) => !isGrowthCode(fn) && !GROWS_NOTHING.has(fn))).toEqual([]);
		expect(all.map(([fn]) => fn).filter((fn) => isGrowthCode(fn) && mapFunction(fn)?.impl !== impl)).toEqual([]);
		for (const { fn } of table.filter(({ tier }) => tier === "growth")) expect([...own.keys()]).toContain(fn);
	});

	test("none of the table is ever inlined", () => {
		expect(table.filter(({ fn }) => inlined.has(fn))).toEqual([]);
	});

	test("who calls whom is as the table says", () => {
		for (const { fn, partOf, callerDepth } of table) {
			const by = [...(callers.get(fn) ?? [])];
			if (partOf !== undefined) {
				expect([fn, by]).toEqual([fn, own.has(fn) ? [partOf] : []]);
				expect(mapFunction(partOf)?.callerDepth).toBe(callerDepth - 1);
			} else if (callerDepth === 3) {
				expect(by.map((caller) => mapFunction(caller)?.callerDepth)).toEqual(by.map(() => 2));
			} else {
				// Called by functions that the program calls, or by the program.
				expect(by.filter((caller) => !isMapCode(caller) || isGrowthCode(caller))).toEqual([]);
			}
		}
		expect(table.filter(({ fn }) => callers.has(fn)).length).toBeGreaterThan(impl === "classic" ? 7 : 5);
	});
});

describe("what map code is there for", () => {
	test.each([
		["runtime.evacuate_fast32", "growth"],
		["runtime.hashGrow", "growth"],
		["internal/runtime/maps.(*table).pruneTombstones", "growth"],
		// Inlined into look-ups and iterators: asks whether a bucket has been moved.
		["runtime.evacuated", "access"],
		// The first group of a map that has none: what mapassign does itself in a classic map.
		["internal/runtime/maps.(*Map).growToSmall", "access"],
		["internal/runtime/maps.(*Iter).Next", "iteration"],
		["internal/runtime/maps.(*Iter).Key", "iteration"],
		["runtime.mapiterinit", "iteration"],
		["runtime.mapIterNext", "iteration"],
		["reflect.mapiternext", "iteration"],
		["reflect.(*hiter).initialized", "iteration"],
		["runtime.mapaccess1", "access"],
		["reflect.Value.SetMapIndex", "access"],
		["maps.Copy[go.shape.map[int]int]", "access"],
		["runtime.mallocgc", undefined],
		["main.evacuate", undefined],
		["example.com/runtime.hashGrow", undefined],
		["", undefined],
		["__proto__", undefined],
	] as const)("%s", (fn, code) => {
		expect(mapCodeOf(fn)).toBe(code);
		expect([isMapCode(fn), isGrowthCode(fn)]).toEqual([code !== undefined, code === "growth"]);
	});
});

describe("sums", () => {
	const named = (wanted: (fn: string) => boolean): string[] =>
		MAP_FUNCTIONS.map(({ fn }) => fn).filter((fn) => wanted(fn));
	const inTable = (wanted: (each: MapFunction) => boolean): string[] =>
		MAP_FUNCTIONS.filter(wanted).map(({ fn }) => fn);

	test("what is part of another function's time", () => {
		expect(named(isInnerCall)).toEqual(inTable(({ role }) => ["evacuate", "grow", "split"].includes(role)));
		expect(outerFunctionOf("runtime.evacuate_faststr")).toBe("runtime.growWork_faststr");
		expect(outerFunctionOf("internal/runtime/maps.(*table).split")).toBe("internal/runtime/maps.(*table).rehash");
		expect(outerFunctionOf("runtime.evacuated")).toBeUndefined();
	});

	test("what would count work twice: grow and split are within a growth, not within work", () => {
		expect(named(repeatsWork)).toEqual(inTable(({ role }) => role === "evacuate"));
	});

	test("what starts a growth, and what moves entries later", () => {
		expect(named(startsGrowth)).toEqual(inTable(({ role }) => ["hashGrow", "growToTable", "rehash"].includes(role)));
		expect(named(movesEntries)).toEqual(inTable(({ role }) => role === "growWork"));
	});
});

test.each(["classic", "swiss"] as const)(
	"%s: each function that is timed has a place of its own among a goroutine's calls",
	(impl) => {
		const functions = MAP_FUNCTIONS.filter((candidate) => candidate.impl === impl);
		const timed = functions.filter(({ tier }) => tier !== "iteration");
		expect(timed.map(({ fn }) => slotOf(fn))).toEqual([...timed.keys()]);
		expect(timed.length).toBeLessThanOrEqual(SLOTS);
		expect(NO_SLOT).toBeGreaterThanOrEqual(SLOTS);
		for (const { fn } of functions.filter(({ tier }) => tier === "iteration")) expect(slotOf(fn)).toBeUndefined();
	},
);

test("no name is there twice, and what is no function of maps has no place", () => {
	const names = MAP_FUNCTIONS.map(({ fn }) => fn);
	expect(new Set(names).size).toBe(names.length);
	for (const fn of ["", "runtime.mapassign", "runtime.growWork_fast", "__proto__"]) expect(slotOf(fn)).toBeUndefined();
});
