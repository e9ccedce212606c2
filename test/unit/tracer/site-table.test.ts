/** Numbers of probed instructions: who has which, and what the counters of a number had counted before it was used again. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { noCounts, type SiteCounts } from "../../../src/kernel/counters.ts";
import { SiteTable } from "../../../src/tracer/site-table.ts";
import type { Target } from "../../../src/tracer/target.ts";
import { thrownBy } from "../../support/thrown.ts";
import { exitSite, plannedProbe } from "./plan-parts.ts";

const newTarget = (pid: number): Target => ({ identity: { pid } }) as unknown as Target;
const counts = (hits: number): SiteCounts => ({ ...noCounts(), hits });
const probe = plannedProbe("runtime.growWork");
const exit = exitSite(0x40_1100);

test("numbers in a row stay together, are used again as a whole, and know what was counted before", () => {
	const table = new SiteTable(7);
	const [first, second, third] = [newTarget(1), newTarget(2), newTarget(3)];
	table.addEntry(newTarget(9), probe, true);
	const indexesOf = (target: Target): number[] => [
		...[0, 1].map(() => table.addEntry(target, probe, true).index),
		table.addExit(target, exit).index,
	];
	expect(table.takeRun(first, 3)).toBe(1);
	expect(indexesOf(first)).toEqual([1, 2, 3]);
	expect(table.takeRun(second, 3)).toBe(4);
	expect(indexesOf(second)).toEqual([4, 5, 6]);
	expect(table.hasRun(1)).toBe(false);
	expect([...table.release(first, (at) => counts(10 * at))]).toEqual([1, 2, 3]);
	expect([table.hasRun(3), table.hasRun(4)]).toEqual([true, false]);
	expect(table.takeRun(third, 2)).toBe(1);
	const [a, b] = [table.addEntry(third, probe, true), table.addEntry(third, probe, true)];
	expect([a.index, b.index, a.baseline.hits, b.baseline.hits]).toEqual([1, 2, 10, 20]);
	expect(table.hasRun(1)).toBe(false);
	table.release(third, () => counts(50));
	expect(table.takeRun(newTarget(4), 3)).toBe(1);
});

describe("numbers", () => {
	test("are given from 0 on, to entries and exits", () => {
		const table = new SiteTable(10);
		const [a, b] = [newTarget(1), newTarget(2)];
		expect(table.addEntry(a, probe, true)).toEqual({
			...{ kind: "entry", index: 0, target: a, probe, timed: true, timedSinceNs: undefined, baseline: noCounts() },
		});
		expect(table.addExit(a, exit)).toEqual({ kind: "exit", index: 1, target: a, exit, baseline: noCounts() });
		expect(table.addEntry(b, probe, false)).toMatchObject({ index: 2, timed: false, target: b });
		expect(table.entries().map(({ index }) => index)).toEqual([0, 2]);
	});

	test("of entries are found, those of exits and of nothing are not", () => {
		const table = new SiteTable(10);
		const site = table.addEntry(newTarget(1), probe, true);
		table.addExit(newTarget(1), exit);
		expect(table.entry(0)).toBe(site);
		// Records come from the kernel: any number may stand in them.
		for (const index of [1, 2, 9, 10, 0xffffffff, -1, 1.5, Number.NaN]) expect(table.entry(index)).toBeUndefined();
	});

	test("come to an end", () => {
		const table = new SiteTable(3);
		const target = newTarget(1);
		expect(table.room).toBe(3);
		table.addEntry(target, probe, true);
		table.addExit(target, exit);
		expect(table.room).toBe(1);
		table.addEntry(target, probe, true);
		expect(table.room).toBe(0);
		for (const add of [() => table.addEntry(target, probe, true), () => table.addExit(target, exit)]) {
			expect(thrownBy(add)).toMatchObject({
				code: "E-USAGE",
				wanted: "at most 3 probed instructions over all targets",
			});
		}
		expect(table.room).toBe(0);
		expect(table.entries()).toHaveLength(2);
	});
});

describe("a target that is released", () => {
	test("gives its numbers back, and no others", () => {
		const table = new SiteTable(4);
		const [a, b] = [newTarget(1), newTarget(2)];
		table.addEntry(a, probe, true);
		const kept = table.addEntry(b, probe, true);
		table.addExit(a, exit);
		const asked: number[] = [];
		const released = table.release(a, (index) => {
			asked.push(index);
			return counts(index);
		});
		expect([released, asked]).toEqual([new Set([0, 2]), [0, 2]]);
		expect(table.room).toBe(3);
		expect(table.entry(0)).toBeUndefined();
		expect(table.entries()).toEqual([kept]);
		expect(table.release(a, () => counts(0))).toEqual(new Set());
	});

	test("leaves a baseline to whoever gets the number next", () => {
		const table = new SiteTable(2);
		const first = newTarget(1);
		table.addEntry(first, probe, true);
		table.addEntry(first, probe, true);
		table.release(first, (index) => counts(100 * (index + 1)));
		const second = newTarget(2);
		const sites = [table.addEntry(second, probe, true), table.addEntry(second, probe, true)];
		expect(Object.fromEntries(sites.map(({ index, baseline }) => [index, baseline]))).toEqual({
			0: counts(100),
			1: counts(200),
		});
	});

	test("an exit's number begins where the entry before it has ended, and the other way round", () => {
		const table = new SiteTable(1);
		const targets = [newTarget(1), newTarget(2), newTarget(3)] as const;
		table.addEntry(targets[0], probe, true);
		table.release(targets[0], () => counts(7));
		expect(table.addExit(targets[1], exit)).toMatchObject({ index: 0, baseline: counts(7) });
		table.release(targets[1], () => counts(9));
		expect(table.addEntry(targets[2], probe, true)).toMatchObject({ index: 0, baseline: counts(9) });
	});
});

test("however targets come and go: numbers are unique and bounded, and each site counts from its own beginning", () => {
	const MAX = 12;
	const step = fc.record({
		pid: fc.integer({ min: 1, max: 4 }),
		entries: fc.nat(4),
		exits: fc.nat(3),
		hits: fc.nat(9),
	});
	fc.assert(
		fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
			const table = new SiteTable(MAX);
			/** What the kernel's counters say: they only ever grow. */
			const kernel = new Array<number>(MAX).fill(0);
			const hitsSince = new Map<number, number>();
			const attached = new Map<number, Target>();
			for (const { pid, entries, exits, hits } of steps) {
				const running = attached.get(pid);
				if (running !== undefined) {
					for (const index of table.release(running, (at) => counts(kernel[at] ?? 0))) hitsSince.delete(index);
					attached.delete(pid);
				} else if (table.room >= entries + exits) {
					const target = newTarget(pid);
					attached.set(pid, target);
					for (let n = 0; n < entries; n++) hitsSince.set(table.addEntry(target, probe, true).index, 0);
					for (let n = 0; n < exits; n++) table.addExit(target, exit);
				}
				for (const { index } of table.entries()) {
					kernel[index] = (kernel[index] ?? 0) + hits;
					hitsSince.set(index, (hitsSince.get(index) ?? 0) + hits);
				}
				const sites = table.entries();
				expect(new Set(sites.map(({ index }) => index)).size).toBe(sites.length);
				for (const { index, baseline, target } of sites) {
					expect(index).toBeLessThan(MAX);
					expect(attached.get(target.identity.pid)).toBe(target);
					expect((kernel[index] ?? 0) - baseline.hits).toBe(hitsSince.get(index) ?? -1);
				}
				expect([...hitsSince.keys()].sort()).toEqual(sites.map(({ index }) => index).sort());
			}
		}),
		{ seed: 5 },
	);
});
