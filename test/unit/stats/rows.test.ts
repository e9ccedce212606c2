/** Orders of rows: one that calls equal rows unequal gives another order each time. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { compareText } from "../../../src/lib/compare.ts";
import { compareProfileRows } from "../../../src/perf-profile/cpu-profile.ts";
import type { GoroutineRow, MapRow, SiteRow, TypeRow } from "../../../src/records/records.ts";
import {
	compareGoroutineRows,
	compareMapRows,
	compareSiteRows,
	compareTypeRows,
	siteKey,
} from "../../../src/stats/rows.ts";

const small = fc.nat(1);
const name = fc.constantFrom("", "a", "(other)");
const place = { fn: name, line: small, map_type: name };
const counts = { growths: small, work: small, bytes: small, max_capacity: small };
const site = fc.record({ ...place, ...counts, duration_ns: fc.constant(0) });
const type = fc.record({ map_type: name, ...counts });
const goroutine = fc.record({ pid: small, goid: small, growths: small, bytes: small, duration_ns: fc.constant(0) });
const map = fc.record({
	...{ pid: small, map_type: name, map: name, growths: small, slots_last: small },
	...{ slots_first: fc.constant(0), count: fc.constant(0), bytes: fc.constant(0), fn: fc.constant("") },
});
const profile = fc.record({ fn: name, line: small, samples: fc.constant(1), weight: small });

/** What tells rows apart, and how they are ordered. */
const ORDERS: [string, fc.Arbitrary<object>, (a: never, b: never) => number, (row: never) => unknown][] = [
	[
		"text",
		name.map((text) => ({ text })),
		(a: { text: string }, b: { text: string }) => compareText(a.text, b.text),
		(row) => row,
	],
	[
		"call sites",
		site,
		compareSiteRows,
		({ fn, line, map_type, growths, work }: SiteRow) => [fn, line, map_type, growths, work],
	],
	["types", type, compareTypeRows, ({ map_type, growths, work }: TypeRow) => [map_type, growths, work]],
	["maps", map, compareMapRows, (row: MapRow) => row],
	["goroutines", goroutine, compareGoroutineRows, (row: GoroutineRow) => row],
	["callers in a profile", profile, compareProfileRows, (row) => row],
];

test.each(ORDERS)(
	"of %s is total: 0 for equals and only for them, the same both ways round",
	(_, rows, compare, identity) => {
		fc.assert(
			fc.property(rows, rows, rows, (a, b, c) => {
				const order = (x: object, y: object): number => Math.sign(compare(x as never, y as never));
				expect(order(a, { ...a })).toBe(0);
				expect(order(a, b) + order(b, a)).toBe(0);
				expect(order(a, b) === 0).toBe(Bun.deepEquals(identity(a as never), identity(b as never)));
				if (order(a, b) < 0 && order(b, c) < 0) expect(order(a, c)).toBe(-1);
			}),
			{ numRuns: 500 },
		);
	},
);

test("the key of a call site is that of its place, type and process", () => {
	const frame = { fn: "main.f", file: "/src/f.go", line: 7 };
	const keys = [
		siteKey(frame, "a"),
		siteKey(frame, "b"),
		siteKey(frame, "a", 1),
		siteKey(frame, "a", 2),
		siteKey({ ...frame, line: 8 }, "a", 1),
		siteKey(undefined, "a", 1),
		siteKey(undefined, "a"),
	];
	expect(new Set(keys).size).toBe(keys.length);
	expect(siteKey({ ...frame }, "a", 1)).toBe(siteKey(frame, "a", 1));
});
