/** What maps are now, and the largest of them, in the rows of a window and of the whole observation. */
import { describe, expect, test } from "bun:test";
import type { MapState } from "../../../src/gomap/map-state.ts";
import { Aggregator } from "../../../src/stats/aggregator.ts";
import { grow } from "./counted.ts";
import { growthRecord } from "./growth-record.ts";

const A = "0x000000000000000a";
const B = "0x000000000000000b";

/** Growths of two swiss maps at one place: a split each. */
function observed(states: Record<string, MapState | undefined>, limit = 100, details = true): Aggregator {
	const aggregator = new Aggregator({ details });
	for (const [map, address, directory_length] of [
		[A, "0x1000", 64],
		[B, "0x2000", 2],
	] as const) {
		const global_depth = Math.log2(directory_length);
		const split = { kind: "split" as const, capacity_before: 1024, capacity_after: 2048, count: 1500 };
		grow(aggregator, growthRecord({ map, address, directory_length, global_depth, ...split }));
	}
	aggregator.readMaps(limit, (maps) => maps.map(({ seed }) => states[seed]));
	return aggregator;
}

describe("a map that is looked at again", () => {
	const state = { entries: 30_000, slots: 65_536, bytes: 1_200_000 };
	const small = { entries: 1501, slots: 3072, bytes: 60_000 };

	test("says how large it is, and so does the place where it grew", () => {
		const window = observed({ [A]: state, [B]: small }).closeWindow(1e9);
		expect(window.maps.find(({ map }) => map === A)).toMatchObject({ now: state, slots_last: 65_536 });
		expect(window.maps.find(({ map }) => map === B)).toMatchObject({ now: small });
		expect(window.sites).toMatchObject([{ max_capacity: 65_536, now: { map: A, ...state } }]);
		expect(window.types).toMatchObject([{ max_capacity: 65_536 }]);
	});

	test("that has gone since leaves the place to another one", () => {
		const aggregator = observed({ [A]: state, [B]: small });
		aggregator.closeWindow(1e9);
		aggregator.readMaps(100, (maps) => maps.map(({ seed }) => (seed === B ? small : undefined)));
		aggregator.closeWindow(1e9);
		aggregator.readMaps(100, (maps) => maps.map(({ seed }) => (seed === B ? small : undefined)));
		const { sites, maps } = aggregator.total();
		expect(sites).toMatchObject([{ max_capacity: 65_536, now: { map: B, ...small } }]);
		expect(maps.find(({ map }) => map === A)?.now).toBeUndefined();
	});

	test("where none can be looked at the largest has as many slots as its growth shows", () => {
		// Six bits need seven tables, and a split makes one more.
		const { sites, types } = observed({}).closeWindow(1e9);
		expect(sites).toMatchObject([{ max_capacity: 8 * 1024 }]);
		expect(sites[0]?.now).toBeUndefined();
		expect(types).toMatchObject([{ max_capacity: 8 * 1024 }]);
	});

	test("only so many are, and without a screen only those of the window", () => {
		const asked: number[] = [];
		const count = (aggregator: Aggregator, limit: number): void => {
			aggregator.readMaps(limit, (maps) => {
				asked.push(maps.length);
				return maps.map(() => undefined);
			});
		};
		const aggregator = observed({}, 1);
		aggregator.closeWindow(1e9);
		count(aggregator, 1);
		count(aggregator, 100);
		const lines = observed({}, 100, false);
		lines.closeWindow(1e9);
		count(lines, 100);
		lines.readMaps(
			100,
			(maps) => {
				asked.push(maps.length);
				return maps.map(() => undefined);
			},
			true,
		);
		expect(asked).toEqual([1, 2, 0, 2]);
	});
});
