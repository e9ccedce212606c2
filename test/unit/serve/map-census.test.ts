import { describe, expect, test } from "bun:test";
import { MapCensus, MOST_GROUPS, parseHeldMaps } from "../../../src/serve/map-census.ts";

const answer = (groups: unknown) => JSON.stringify({ type: "maps", pid: 1, groups });
const group = (type: string, bytes: number) => ({
	type,
	holder: { kind: "global", path: "main.cache" },
	maps: 2,
	entries: 3,
	slots: 8,
	bytes,
});

describe("the answer of maps", () => {
	test("is read, and cut to the largest", () => {
		expect(parseHeldMaps(answer([group("map[int]int", 100)]))).toEqual([
			{ map_type: "map[int]int", holder: "main.cache", maps: 2, bytes: 100, entries: 3 },
		]);
		expect(parseHeldMaps(answer(Array(100).fill(group("map[int]int", 1))))).toHaveLength(MOST_GROUPS);
	});

	test("that is none is none", () => {
		for (const wrong of ["", "null", "{}", '{"groups":3}', "["]) expect(parseHeldMaps(wrong)).toBeUndefined();
		expect(parseHeldMaps(answer([1, {}, { ...group("x", 1), maps: "many" }]))).toEqual([]);
	});
});

test("gauges are those of the processes that run, added up by target; failures are counted", async () => {
	let running = [1, 2, 3];
	const census = new MapCensus({
		everyMs: 1000,
		targets: () => running.map((pid) => ({ pid, labels: { target: "shop" } })),
		read: async (pid) => (pid === 3 ? undefined : answer([group("map[int]int", 100 * pid)])),
	});
	await census.round();
	const bytes = () => census.families().find(({ name }) => name === "gomapgrow_maps_bytes")?.points;
	const labels = { target: "shop", map_type: "map[int]int", holder: "main.cache" };
	expect(bytes()).toEqual([{ labels, value: 300 }]);
	expect(
		census
			.families()
			.at(-1)
			?.points.map((point) => Object.values(point)),
	).toEqual([
		[{ outcome: "read" }, 2],
		[{ outcome: "failed" }, 1],
	]);
	running = [1];
	expect(bytes()).toEqual([{ labels, value: 100 }]);
	running = [];
	expect(bytes()).toEqual([]);
});
