/** What is known of the growths of test/programs/counted, when it is run for one map of 1000 keys in each of its workers. */
import { expect } from "bun:test";
import { join } from "node:path";
import type { GrowthRecord } from "../../src/records/records.ts";
import { lineOf } from "../support/grown.ts";

/** The nth fills a map of the nth kind, in a stack that is 3 n calls deep. */
const WORKERS = 16;
const COUNTED = join(import.meta.dir, "../programs/counted/main.go");
const KINDS = [
	{ mapType: "map[int]int", fn: "main.ints", assign: "runtime.mapassign_fast64", line: lineOf("m[i] = i", COUNTED) },
	{
		...{ mapType: "map[int32]int", fn: "main.int32s", assign: "runtime.mapassign_fast32" },
		line: lineOf("m[int32(i)] = i", COUNTED),
	},
	{
		...{ mapType: "map[string]int", fn: "main.strs", assign: "runtime.mapassign_faststr" },
		line: lineOf("m[names[i]] = i", COUNTED),
	},
	{
		...{ mapType: "map[main.pair]int", fn: "main.pairs", assign: "runtime.mapassign" },
		line: lineOf("m[pair{i, 1}] = i", COUNTED),
	},
];

function placeOf({ line }: (typeof KINDS)[number]): string {
	return `/test/programs/counted/main.go:${line}`;
}

/** 1000 keys: from 8 on a classic map doubles, last at 832; a swiss one becomes a table, doubles six times, and is split at 896. */
const GROWTHS_PER_MAP = 8;

interface Described {
	map_type: string;
	place: string;
	frames: string[];
}

/** The stack of a worker's growths, from the growth to the function that fills the maps. */
function stackOf({ fn, assign }: (typeof KINDS)[number], descents: number): string[] {
	const descend = Array.from({ length: descents }, () => "main.descend");
	return ["growth", assign, fn, "main.work.func1", ...descend, "main.work"];
}

/** The growths of the workers, one array for each goroutine. */
function byGoroutine(growths: readonly GrowthRecord[]): GrowthRecord[][] {
	// Go 1.24 grows a map of its own when it collects garbage for the first time.
	const own = growths.filter(({ map_type }) => !map_type.includes("runtime."));
	const groups = Object.values(Object.groupBy(own, ({ goid }) => String(goid)));
	return groups.map((all = []) => all);
}

function describe({ fn, map_type, stack }: GrowthRecord): Described {
	const names = stack.map((frame) => frame.fn.replace(fn, "growth"));
	const place = stack.find((frame) => frame.fn.startsWith("main."));
	const end = names.indexOf("main.work");
	return {
		map_type,
		place: `${place?.file?.replace(/^.*(?=\/test\/)/, "")}:${place?.line}`,
		frames: end < 0 ? names : names.slice(0, end + 1),
	};
}

const byDepth = (one: readonly Described[], other: readonly Described[]): number =>
	(one[0]?.frames.length ?? 0) - (other[0]?.frames.length ?? 0);

/** Every growth of each worker's map: how often, with which type, from which line, and in which stack. */
export function expectWorkersGrowths(growths: readonly GrowthRecord[]): void {
	const seen = byGoroutine(growths).map((all) => all.map(describe));
	const rounds = Array.from({ length: WORKERS / KINDS.length }, (_, round) => round * KINDS.length);
	const workers = rounds.flatMap((first) => KINDS.map((kind, n) => ({ kind, descents: 3 * (first + n) + 1 })));
	const wanted = workers.map(({ kind, descents }) => {
		const growth = { map_type: kind.mapType, place: placeOf(kind), frames: stackOf(kind, descents) };
		return Array.from({ length: GROWTHS_PER_MAP }, () => growth);
	});
	expect(seen.toSorted(byDepth)).toEqual(wanted);
	expect(growths.filter(({ stack_truncated }) => stack_truncated)).toEqual([]);
}

/** The same where stacks are cut off once they have been copied: what there is of them is right, and the records say that it is not all. */
export function expectWorkersCutGrowths(growths: readonly GrowthRecord[]): void {
	const goroutines = byGoroutine(growths);
	expect(goroutines.map((all) => all.length)).toEqual(Array.from({ length: WORKERS }, () => GROWTHS_PER_MAP));
	const types = goroutines.map((all) => [...new Set(all.map(({ map_type }) => map_type))].join());
	expect(types.toSorted()).toEqual(
		KINDS.flatMap(({ mapType }) => Array.from({ length: WORKERS / KINDS.length }, () => mapType)).toSorted(),
	);
	for (const growth of goroutines.flat()) {
		const { map_type, place, frames } = describe(growth);
		const n = KINDS.findIndex(({ mapType }) => mapType === map_type);
		const kind = KINDS[n];
		if (kind === undefined) throw new Error(`no worker has a ${map_type}`);
		expect(place).toBe(placeOf(kind));
		const descents = frames.filter((fn) => fn === "main.descend").length;
		const whole = stackOf(kind, growth.stack_truncated ? WORKERS * 3 : descents);
		expect(frames).toEqual(growth.stack_truncated ? whole.slice(0, frames.length) : whole);
		// Of the workers with this kind one is that deep.
		if (!growth.stack_truncated) expect((descents - 1) % (3 * KINDS.length)).toBe(3 * n);
	}
	// The collector shrinks stacks all the time, so there are some: else this test would say nothing.
	expect(growths.filter(({ stack_truncated }) => stack_truncated)).not.toEqual([]);
}
