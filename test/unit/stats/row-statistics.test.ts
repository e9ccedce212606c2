import { describe, expect, test } from "bun:test";
import type { GrowthRecord } from "../../../src/records/records.ts";
import { copyDetail, RowDetails } from "../../../src/stats/row-statistics.ts";
import { siteKey } from "../../../src/stats/rows.ts";

const SITE = { fn: "main.fill", file: "/src/main.go", line: 7 };

function growth(fields: Partial<GrowthRecord> = {}): GrowthRecord {
	return {
		...{ type: "growth", time: "", elapsed_ns: 0, pid: 1, tid: 2, goid: 3, impl: "classic", fn: "runtime.hashGrow" },
		...{ kind: "double", cause: "load", map_type: "map[int]int", map: "0x1", nth: 1, count: 7 },
		...{ capacity_before: 8, capacity_after: 16, bytes_moved: 100, duration_ns: 1000 },
		stack: [{ fn: "runtime.hashGrow" }, SITE],
		...fields,
	};
}

describe("details of growths", () => {
	test("are kept for the place, the type, the map, the goroutine and the process", () => {
		const details = new RowDetails();
		const newest = growth({ nth: 2, duration_ns: 3000, elapsed_ns: 9 });
		details.add(growth());
		details.add(newest);
		details.add(growth({ pid: 2, goid: 4, map_type: "map[int]bool", map: "0x2", stack: [{ fn: "main.other" }] }));
		for (const [kind, key] of [
			["site", siteKey(SITE, "map[int]int")],
			["type", "map[int]int"],
			["map", "1:0x1:map[int]int"],
			["goroutine", "1:3"],
			["process", "1"],
		] as const) {
			const detail = details.get(kind, key);
			expect(detail, kind).toMatchObject({ growths: 2, moved: 200, withMoved: 2, overlaps: 0, newest });
			expect([detail?.durations.count, detail?.durations.sumNs, detail?.durations.maxNs]).toEqual([2, 4000, 3000]);
		}
		expect(details.maps().map(({ pid, growths }) => [pid, growths])).toEqual([
			[1, 2],
			[2, 1],
		]);
		expect(details.goroutines().map(({ goid }) => goid)).toEqual([3, 4]);
	});

	test("stand for as many growths as their records do", () => {
		const details = new RowDetails();
		details.add(growth({ weight: 50, bytes_moved: 100 }));
		details.add(growth({ bytes_moved: 10 }));
		details.closeWindow(1e9);
		const detail = details.get("type", "map[int]int");
		expect(detail).toMatchObject({ growths: 51, moved: 5010, recentGrowths: 51, recentMoved: 5010 });
	});
	test("of a map begin anew with another map of the same seed", () => {
		const details = new RowDetails();
		for (const nth of [1, 2, 3, 1]) details.add(growth({ nth }));
		expect(details.get("map", "1:0x1:map[int]int")?.growths).toBe(1);
		expect(details.get("type", "map[int]int")?.growths).toBe(4);
	});

	test("what is recent is that of the last windows that have ended", () => {
		const details = new RowDetails({ recentWindows: 2 });
		const recent = () => {
			const detail = details.get("type", "map[int]int");
			return [detail?.recentGrowths, detail?.recentMoved, details.recentNs];
		};
		details.add(growth());
		details.add(growth());
		expect(recent()).toEqual([0, 0, 0]);
		details.closeWindow(1e9);
		expect(recent()).toEqual([2, 200, 1e9]);
		details.add(growth());
		details.closeWindow(2e9);
		expect(recent()).toEqual([3, 300, 3e9]);
		details.closeWindow(1e9);
		expect(recent()).toEqual([1, 100, 3e9]);
		details.closeWindow(1e9);
		expect(recent()).toEqual([0, 0, 2e9]);
	});

	test("of the rows that have not grown for longest are forgotten", () => {
		const details = new RowDetails({ maxRows: 2 });
		for (const map of ["0x1", "0x2", "0x1", "0x3"]) details.add(growth({ map, nth: 2 }));
		const known = ["0x1", "0x2", "0x3"].map((map) => details.get("map", `1:${map}:map[int]int`) !== undefined);
		expect(known).toEqual([true, false, true]);
		expect(details.maps().length).toBe(2);
	});

	test("count growths that overlapped an iteration where they happened", () => {
		const details = new RowDetails();
		const record = growth();
		details.add(record);
		const { elapsed_ns, nth, kind, stack, pid, map, map_type } = record;
		const overlap = {
			...{ type: "overlap" as const, time: "", elapsed_ns, pid, map, map_type },
			...{ growth: { elapsed_ns, nth, kind, stack, goid: 3 }, iteration: { elapsed_ns, stack: [{ fn: "main.read" }] } },
		};
		details.addOverlap(overlap);
		details.addOverlap({ ...overlap, map: "0x9" });
		const counts = [
			details.get("site", siteKey(SITE, map_type)),
			details.get("map", "1:0x1:map[int]int"),
			details.get("goroutine", "1:3"),
		].map((detail) => detail?.overlaps);
		expect(counts).toEqual([2, 1, 2]);
	});

	test("a copy stays as it is, and what was not measured is not counted as 0", () => {
		const details = new RowDetails();
		const { bytes_moved: _, duration_ns: __, goid: ___, ...silent } = growth();
		details.add(silent);
		const detail = details.get("process", "1");
		if (detail === undefined) throw new Error("no detail");
		expect(detail).toMatchObject({ growths: 1, withMoved: 0 });
		expect(detail.durations.count).toBe(0);
		expect(details.goroutines()).toEqual([]);
		const copy = copyDetail(detail);
		details.add(growth());
		expect([copy.growths, copy.durations.count]).toEqual([1, 0]);
		expect([detail.growths, detail.durations.count]).toEqual([2, 1]);
	});
});
