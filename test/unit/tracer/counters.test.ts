/** The ledger and what has changed between two readings, with the kernel's tables in memory instead of the kernel. */
import { afterAll, beforeAll, beforeEach, describe, expect, mock, test } from "bun:test";
import type { BpfObject, MapName } from "../../../src/kernel/bpf-object.ts";
import {
	BUCKETS,
	GOROUTINE,
	LATENCY_KEY,
	LATENCY_ROW,
	ROW,
	ROW_KEY,
	SHAPE,
	SITE_COUNTS,
} from "../../../src/kernel/wire.ts";
import type { PlannedProbe } from "../../../src/plan/probe-plan.ts";
import { ledgerComplete, unaccounted } from "../../../src/records/ledger.ts";
import type { Frame } from "../../../src/records/records.ts";
import type { CallDelta } from "../../../src/tracer/call-deltas.ts";
import type { CounterTotals as Totals } from "../../../src/tracer/counters.ts";
import { type Decoded, nothingDecoded } from "../../../src/tracer/ledger.ts";
import { type EntrySite, SiteTable } from "../../../src/tracer/site-table.ts";
import type { Target } from "../../../src/tracer/target.ts";
import { Prng } from "../../support/prng.ts";
import { FakeBpf } from "../kernel/fake-bpf.ts";
import { plannedProbe } from "./plan-parts.ts";

type SiteField = Exclude<keyof typeof SITE_COUNTS, "size">;

const FDS: Partial<Record<MapName, number>> = { site_counts: 11, call_rows: 12, latency_rows: 13, goroutines: 14 };
const fd = (name: MapName): number => FDS[name] ?? -1;
const libbpf = { ...(await import("../../../src/kernel/libbpf.ts")) };
let fake: FakeBpf;
let CounterTotals: typeof Totals;

beforeAll(async () => {
	mock.module("../../../src/kernel/libbpf.ts", () => ({ ...libbpf, libbpf: () => fake.symbols }));
	({ CounterTotals } = await import("../../../src/tracer/counters.ts"));
});
afterAll(() => {
	mock.module("../../../src/kernel/libbpf.ts", () => libbpf);
});
function newKernel(): void {
	fake = new FakeBpf(2);
	fake.create(fd("site_counts"), 4, SITE_COUNTS.size, true, 64);
	fake.create(fd("call_rows"), ROW_KEY.size, ROW.size, true);
	fake.create(fd("latency_rows"), LATENCY_KEY.size, LATENCY_ROW.size, false);
	fake.create(fd("goroutines"), GOROUTINE.keySize, GOROUTINE.size, false);
}
beforeEach(newKernel);

function bump(view: DataView, offset: number, by: number): void {
	view.setBigUint64(offset, view.getBigUint64(offset, true) + BigInt(by), true);
}

let turn = 0;
/** The CPUs take turns. */
const cpu = (): number => turn++ % fake.cpus;

/** The kernel's side: what its programs add to their tables. */
const kernel = {
	count(site: EntrySite, counts: Partial<Record<SiteField, number>>): void {
		const key = new Uint8Array(Uint32Array.of(site.index).buffer);
		for (const [field, by] of Object.entries(counts)) {
			fake.change(fd("site_counts"), key, cpu(), (view) => bump(view, SITE_COUNTS[field as SiteField], by));
		}
	},
	row(
		site: EntrySite,
		sums: Partial<Record<Exclude<keyof typeof ROW, "size">, number>>,
		{ mapType = 0x50_0000, caller = 0x40_2000, shape = 0 } = {},
	): void {
		const key = new DataView(new ArrayBuffer(ROW_KEY.size));
		key.setUint32(ROW_KEY.site, site.index, true);
		key.setUint32(ROW_KEY.tgid, site.target.identity.pid, true);
		key.setBigUint64(ROW_KEY.mapType, BigInt(mapType), true);
		key.setBigUint64(ROW_KEY.caller, BigInt(caller), true);
		key.setBigUint64(ROW_KEY.shape, BigInt(shape), true);
		fake.change(fd("call_rows"), new Uint8Array(key.buffer), cpu(), (view) => {
			for (const [name, by] of Object.entries(sums)) bump(view, ROW[name as keyof typeof sums], by);
		});
	},
	calls(site: EntrySite, calls: number, mapType = 0x50_0000, caller = 0x40_2000): void {
		kernel.row(site, { calls }, { mapType, caller });
	},
	/** Calls that hit their site, and calls that have ended. */
	hit(
		site: EntrySite,
		sums: Partial<Record<Exclude<keyof typeof ROW, "size">, number>>,
		key?: { mapType?: number; caller?: number; shape?: number },
	): void {
		const { calls = 0, timed = 0 } = sums;
		kernel.count(site, { hits: calls, paired: timed });
		kernel.row(site, sums, key);
	},
	/** A call that has ended. */
	end(site: EntrySite, ns: number, bucket: number, mapType?: number): void {
		kernel.count(site, { paired: 1 });
		kernel.duration(site, ns, bucket, mapType);
	},
	duration(site: EntrySite, ns: number, bucket: number, mapType = 0x50_0000): void {
		const key = new DataView(new ArrayBuffer(LATENCY_KEY.size));
		key.setUint32(LATENCY_KEY.site, site.index, true);
		key.setUint32(LATENCY_KEY.tgid, site.target.identity.pid, true);
		key.setBigUint64(LATENCY_KEY.mapType, BigInt(mapType), true);
		fake.change(fd("latency_rows"), new Uint8Array(key.buffer), 0, (view) => {
			bump(view, LATENCY_ROW.sumNs, ns);
			bump(view, LATENCY_ROW.buckets + 8 * bucket, 1);
			const max = view.getBigUint64(LATENCY_ROW.maxNs, true);
			if (max < ns) view.setBigUint64(LATENCY_ROW.maxNs, BigInt(ns), true);
		});
	},
	/** A goroutine is in a call, or (0) in none. */
	inCall(g: number, pid: number, slot: number, begunNs: number): void {
		const key = new Uint8Array(BigUint64Array.of(BigInt(g), BigInt(pid)).buffer);
		fake.change(fd("goroutines"), key, 0, (view) => {
			view.setBigUint64(GOROUTINE.callSize * slot + GOROUTINE.begunNs, BigInt(begunNs), true);
		});
	},
};

const CALLER: Frame[] = [{ fn: "main.put", file: "/src/main.go", line: 7 }];

function newTarget(pid: number, bias: number | undefined = 0): Target {
	const types = {
		at: (address: number, by: number) => ({
			name: `map[int]T${(address - by).toString(16)}`,
			storageBytes: 208,
			slotBytes: 24,
		}),
	};
	const stacks = { caller: (address: number, by: number) => (address - by === 0x40_2000 ? CALLER : []) };
	return { identity: { pid }, bias, types, stacks, plan: { impl: "classic" } } as unknown as Target;
}

const PROBES = {
	growth: plannedProbe("runtime.hashGrow", { role: "hashGrow", tier: "growth" }),
	work: plannedProbe("runtime.growWork"),
	iteration: plannedProbe("runtime.mapiternext", { role: "iterNext", tier: "iteration" }),
} satisfies Record<string, PlannedProbe>;

/** What the session has counted by itself. */
const decodedOf = (fields: Partial<Decoded> = {}): Decoded => ({
	...nothingDecoded(),
	...fields,
});

interface Attached {
	target: Target;
	growth: EntrySite;
	work: EntrySite;
	iteration: EntrySite;
}

class Setup {
	readonly sites: SiteTable;
	readonly totals: Totals;

	constructor(measured = { latency: true, iterations: true }, maxSites = 16) {
		this.sites = new SiteTable(maxSites);
		const object = { mapFd: fd } as unknown as BpfObject;
		this.totals = new CounterTotals(object, this.sites, measured);
	}

	attach(pid: number, timed = true, bias: number | undefined = 0): Attached {
		const target = newTarget(pid, bias);
		const attached = {
			target,
			growth: this.sites.addEntry(target, PROBES.growth, timed),
			work: this.sites.addEntry(target, PROBES.work, timed),
			iteration: this.sites.addEntry(target, PROBES.iteration, false),
		};
		// Exits are attached from the beginning.
		if (timed) attached.growth.timedSinceNs = attached.work.timedSinceNs = 0;
		return attached;
	}
}

const NOTHING = { hits: 0, recorded: 0, sampled_out: 0, throttled: 0, lost: 0 };

describe("the ledger", () => {
	test("of growths: what was not lost and has not come yet is on its way, but at the end it is missing", () => {
		const run = new Setup();
		const { target, growth } = run.attach(1);
		kernel.count(growth, { hits: 10, lost: 2 });
		const decoded = decodedOf({ growths: 5, growthsDropped: 1 });
		const expected = { ...NOTHING, hits: 10, recorded: 5, lost: 3 };
		expect(run.totals.read([target], decoded, false).ledger.growth).toEqual({ ...expected, pending: 2 });
		expect(run.totals.read([target], decoded, true).ledger.growth).toEqual(expected);
		expect(unaccounted(run.totals.read([target], decoded, true).ledger.growth)).toBe(2);
		decoded.growths = 7;
		expect(run.totals.read([target], decoded, false).ledger.growth).toEqual({ ...expected, recorded: 7 });
		// More than there were is an error, and stays one.
		decoded.growths = 8;
		expect(unaccounted(run.totals.read([target], decoded, false).ledger.growth)).toBe(-1);
	});

	test("of growths in inlined copies where the map is not known: none is a record, and the budget is not why", () => {
		const run = new Setup();
		const { target, growth } = run.attach(1);
		const copy = run.sites.addEntry(target, { ...PROBES.growth, inlinedInto: "x", mapAt: "unknown" }, false);
		kernel.count(growth, { hits: 10, throttled: 3 });
		kernel.count(copy, { hits: 4, throttled: 4 });
		const decoded = decodedOf({ growths: 7 });
		const expected = { ...NOTHING, hits: 14, recorded: 7, sampled_out: 4, throttled: 3 };
		expect(run.totals.read([target], decoded, true).ledger.growth).toEqual(expected);
		run.totals.release(target);
		const { ledger, calls } = run.totals.read([], decoded, true);
		expect(ledger.growth).toEqual(expected);
		expect(calls.get("runtime.hashGrow")).toBe(14);
	});

	test("of records that nothing can be made of: they are lost, and told apart from what the ring had no room for", () => {
		const run = new Setup();
		const { target, growth, work, iteration } = run.attach(1, false);
		kernel.count(growth, { hits: 10, lost: 1 });
		kernel.count(work, { hits: 40, picked: 20, sampleLost: 2 });
		kernel.count(iteration, { hits: 9, lost: 1 });
		const decoded = decodedOf({
			...{ growths: 4, growthsUnreadable: 2, samples: 13 },
			unknown: { growth: 3, work: 5, iteration: 4, make: 0 },
		});
		const { ledger, undecoded } = run.totals.read([target], decoded, true);
		expect(ledger.growth).toEqual({ ...NOTHING, hits: 10, recorded: 4, lost: 6 });
		expect(ledger.sample).toEqual({ ...NOTHING, hits: 40, recorded: 13, sampled_out: 20, lost: 7 });
		expect(ledger.iteration).toEqual({ ...NOTHING, hits: 9, recorded: 4, lost: 5 });
		expect(undecoded).toEqual([
			{ tier: "growth", stage: "unreadable", count: 2 },
			{ tier: "growth", stage: "unknown-record", count: 3 },
			{ tier: "sample", stage: "unknown-record", count: 5 },
			{ tier: "iteration", stage: "unknown-record", count: 4 },
		]);
		expect(run.totals.read([target], decodedOf({ growths: 9 }), true).undecoded).toEqual([]);
	});

	test("of the work tier: each call is in a row, or lost", () => {
		const run = new Setup();
		const { target, work } = run.attach(1);
		kernel.count(work, { hits: 100, rowLost: 5 });
		kernel.calls(work, 60);
		kernel.calls(work, 30, 0x50_0100);
		const { ledger } = run.totals.read([target], decodedOf(), false);
		expect(ledger.work).toEqual({ ...NOTHING, hits: 100, recorded: 90, lost: 5, pending: 5 });
		kernel.calls(work, 5);
		expect(run.totals.read([target], decodedOf(), true).ledger.work).toEqual({
			...NOTHING,
			hits: 100,
			recorded: 95,
			lost: 5,
		});
	});

	test("of samples: what was not picked was left out by choice", () => {
		const run = new Setup();
		const { target, work } = run.attach(1);
		kernel.count(work, { hits: 1000, picked: 50, throttled: 7, sampleLost: 3 });
		const decoded = decodedOf({ samples: 30, samplesDropped: 2 });
		const expected = { hits: 1000, recorded: 30, sampled_out: 950, throttled: 7, lost: 5 };
		expect(run.totals.read([target], decoded, false).ledger.sample).toEqual({ ...expected, pending: 8 });
		decoded.samples = 38;
		expect(run.totals.read([target], decoded, true).ledger.sample).toEqual({ ...expected, recorded: 38 });
	});

	test("of durations: calls under way are on their way, and at the end they were never left", () => {
		const run = new Setup();
		const { target, growth, work } = run.attach(1);
		kernel.count(growth, { hits: 100, begun: 10, paired: 7, left: 1 });
		kernel.count(work, { hits: 50, begun: 6, paired: 4, withdrawn: 1 });
		kernel.inCall(0xc000, 1, 0, 77);
		const { ledger } = run.totals.read([target], decodedOf({ growths: 10 }), false);
		expect(ledger.latency).toEqual({
			...NOTHING,
			hits: 16,
			recorded: 11,
			unpaired: { left: 1, evicted: 0, withdrawn: 1 },
			pending: 3,
		});
		// One of the three is in its call; the others' goroutines have been forgotten.
		const final = run.totals.read([target], decodedOf({ growths: 10 }), true).ledger.latency;
		expect(final).toEqual({ ...NOTHING, hits: 16, recorded: 11, unpaired: { left: 2, evicted: 2, withdrawn: 1 } });
	});

	test("of durations: calls under way whose ends are watched no more were withdrawn", () => {
		const run = new Setup();
		const { target, growth, work } = run.attach(1);
		kernel.count(growth, { hits: 2, begun: 2 });
		kernel.count(work, { hits: 2, begun: 2 });
		growth.timedSinceNs = 100;
		work.timedSinceNs = undefined;
		// Of the first one, the exits were detached and attached again in between.
		for (const [g, ns] of [90, 110].entries()) {
			kernel.inCall(0xc000 + g, 1, 0, ns);
			kernel.inCall(0xd000 + g, 1, 1, ns);
		}
		const unpaired = { left: 1, evicted: 0, withdrawn: 3 };
		const expected = { ...NOTHING, hits: 4, recorded: 0, unpaired };
		expect(run.totals.read([target], decodedOf({ growths: 2 }), true).ledger.latency).toEqual(expected);
		// The same when the process ends before the observation.
		run.totals.release(target);
		expect(run.totals.read([], decodedOf({ growths: 2 }), true).ledger.latency).toEqual(expected);
	});

	test("of durations: more ends than beginnings stay visible", () => {
		const run = new Setup();
		const { target, growth } = run.attach(1);
		kernel.count(growth, { hits: 3, begun: 3, paired: 4 });
		const { ledger } = run.totals.read([target], decodedOf({ growths: 3 }), true);
		expect(ledger.latency).toEqual({
			...NOTHING,
			hits: 3,
			recorded: 4,
			unpaired: { left: 0, evicted: 0, withdrawn: 0 },
		});
		expect(ledgerComplete(ledger)).toBe(false);
	});

	test("of durations has the calls that are timed, and no others", () => {
		const run = new Setup();
		const timed = run.attach(1);
		const other = run.attach(2, false);
		kernel.count(timed.growth, { hits: 2, begun: 2, paired: 2 });
		kernel.count(other.growth, { hits: 100 });
		kernel.count(timed.iteration, { hits: 1000 });
		const { ledger } = run.totals.read([timed.target, other.target], decodedOf({ growths: 102 }), true);
		expect(ledger.latency).toMatchObject({ hits: 2, recorded: 2 });
		expect(ledger.growth).toMatchObject({ hits: 102, recorded: 102 });
	});

	test("of iterations: all steps, but those whose overlap was lost", () => {
		const run = new Setup();
		const { target, iteration } = run.attach(1);
		kernel.count(iteration, { hits: 1000, lost: 3 });
		const { ledger } = run.totals.read([target], decodedOf(), true);
		expect(ledger.iteration).toEqual({ ...NOTHING, hits: 1000, recorded: 997, lost: 3 });
	});

	test("has no tier that is not measured", () => {
		const run = new Setup({ latency: false, iterations: false });
		const { target, growth } = run.attach(1);
		kernel.count(growth, { hits: 1 });
		kernel.duration(growth, 100, 1);
		kernel.inCall(0xc000, 1, 0, 77);
		const { ledger } = run.totals.read([target], decodedOf({ growths: 1 }), true);
		expect(Object.keys(ledger).sort()).toEqual(["growth", "sample", "work"]);
		expect(run.totals.takeLatency(() => true)).toEqual([]);
	});

	test("of nothing is complete", () => {
		const { totals } = new Setup();
		const { ledger, calls } = totals.read([], decodedOf(), true);
		expect(ledgerComplete(ledger)).toBe(true);
		expect([totals.takeCalls(() => true), totals.takeLatency(() => true), [...calls]]).toEqual([[], [], []]);
	});
});

describe("calls", () => {
	test("are exact for each function of each target, and for all together", () => {
		const run = new Setup();
		const [a, b] = [run.attach(1), run.attach(2)];
		kernel.count(a.growth, { hits: 3, diverted: 1 });
		kernel.count(a.work, { hits: 50, diverted: 2 });
		kernel.count(b.growth, { hits: 4 });
		kernel.count(b.iteration, { hits: 9, diverted: 4 });
		const { targets, calls, diverted } = run.totals.read([b.target, a.target], decodedOf(), false);
		const names = ["runtime.hashGrow", "runtime.growWork", "runtime.mapiternext"];
		const of = (map: Map<string, number> | undefined) => names.map((name) => map?.get(name));
		expect(targets.map(({ pid, calls: own }) => [pid, of(own)])).toEqual([
			[2, [4, 0, 9]],
			[1, [3, 50, 0]],
		]);
		expect([of(calls), diverted]).toEqual([[7, 50, 9], 7]);
	});
});

describe("what has changed", () => {
	const untimed = { recorded: 0, timed: 0, elapsed_ns: 0, on_cpu: 0, cpu_ns: 0 };
	const row = {
		pid: 1,
		fn: "runtime.growWork",
		tier: "work" as const,
		map_type: "map[int]T500000",
		caller: CALLER,
		window: 0 as const,
		...untimed,
	};
	const all = () => true;

	test("is given once, of those sites that are asked for", () => {
		const run = new Setup();
		const { work: site } = run.attach(1);
		const { work: other } = run.attach(2);
		const take = () => run.totals.takeCalls((one) => one === site);
		expect(take()).toEqual([]);
		kernel.hit(site, { calls: 4 });
		kernel.hit(site, { calls: 6 });
		kernel.hit(other, { calls: 100 });
		expect(take()).toEqual([{ site, ...row, calls: 10 }]);
		expect(take()).toEqual([]);
		kernel.hit(site, { calls: 1 });
		kernel.hit(site, { calls: 2 }, { mapType: 0x50_0100 });
		kernel.hit(site, { calls: 3 }, { mapType: 0x50_0000, caller: 0 });
		expect(take()).toEqual([
			{ site, ...row, calls: 1 },
			{ site, ...row, map_type: "map[int]T500100", calls: 2 },
			{ site, ...row, caller: [], calls: 3 },
		]);
		expect(run.totals.takeCalls(all)).toEqual([{ site: other, ...row, pid: 2, calls: 100 }]);
	});

	test("tells the two windows of a site apart", () => {
		const run = new Setup();
		const { work: site } = run.attach(1);
		kernel.hit(site, { calls: 3 });
		kernel.hit(site, { calls: 5 }, { shape: SHAPE.window });
		const taken = run.totals.takeCalls(all).map(({ calls, window }) => [calls, window]);
		expect(taken).toEqual([
			[3, 0],
			[5, 1],
		]);
	});

	test("has what was seen of the ends of calls, also of such that began before", () => {
		const run = new Setup();
		const { work: site } = run.attach(1);
		kernel.hit(site, { calls: 3, timed: 2, elapsedNs: 900, onCpu: 1, cpuNs: 300 });
		const [first] = run.totals.takeCalls(all);
		expect(first).toEqual({ site, ...row, calls: 3, timed: 2, elapsed_ns: 900, on_cpu: 1, cpu_ns: 300 });
		kernel.hit(site, { timed: 1, elapsedNs: 50 });
		expect(run.totals.takeCalls(all)).toEqual([{ site, ...row, calls: 0, timed: 1, elapsed_ns: 50 }]);
	});

	test("of growths has what they do, by their shape and the sizes of the type", () => {
		const run = new Setup();
		const { growth: site } = run.attach(1);
		kernel.hit(site, { calls: 3, entries: 39 }, { shape: 0x201 });
		kernel.hit(site, { calls: 1 }, { shape: 0x400 });
		const doubled = { kind: "double", cause: "load", capacityBefore: 16, capacityAfter: 32, units: 4, iterating: true };
		expect(run.totals.takeCalls(all)).toEqual([
			{
				...{ site, ...row, fn: "runtime.hashGrow", tier: "growth", calls: 3, recorded: 1 },
				growth: { ...doubled, bytes: 3 * 4 * 208, bytes_moved: 39 * 24 },
			} as CallDelta,
			{ site, ...row, fn: "runtime.hashGrow", tier: "growth", calls: 1, recorded: 1 } as CallDelta,
		]);
	});

	test("of a program whose place is not known yet waits for it, but not for ever", () => {
		const run = new Setup();
		const { target, work: site } = run.attach(1);
		Object.assign(target, { bias: undefined });
		kernel.hit(site, { calls: 4 });
		expect(run.totals.takeCalls(all)).toEqual([]);
		expect(run.totals.takeCalls(all, true)).toEqual([
			{ site, ...row, map_type: "map[?]? (made at run time)", caller: [], calls: 4 } as CallDelta,
		]);
		Object.assign(target, { bias: 0x1000 });
		kernel.hit(site, { calls: 1 }, { mapType: 0x50_1000, caller: 0x40_3000 });
		expect(run.totals.takeCalls(all)).toEqual([{ site, ...row, calls: 1 } as CallDelta]);
	});

	test("of durations is given once; the longest is the longest since the start", () => {
		const run = new Setup();
		const { growth } = run.attach(1);
		const read = () => run.totals.takeLatency(all);
		const buckets = (filled: Record<number, number>) =>
			Float64Array.from({ length: BUCKETS }, (_, n) => filled[n] ?? 0);
		const delta = { site: growth, pid: 1, fn: "runtime.hashGrow", map_type: "map[int]T500000" };
		kernel.end(growth, 900, 4);
		kernel.end(growth, 100, 1);
		expect(read()).toEqual([{ ...delta, count: 2, sum_ns: 1000, max_ns: 900, buckets: buckets({ 1: 1, 4: 1 }) }]);
		expect(read()).toEqual([]);
		kernel.end(growth, 70, 1);
		expect(read()).toEqual([{ ...delta, count: 1, sum_ns: 70, max_ns: 900, buckets: buckets({ 1: 1 }) }]);
		// Types that have found no room.
		kernel.end(growth, 5, 0, 0);
		expect(read()).toEqual([
			{ ...delta, map_type: "(other)", count: 1, sum_ns: 5, max_ns: 5, buckets: buckets({ 0: 1 }) },
		]);
	});

	test("of growths says which part of them became records", () => {
		const run = new Setup();
		const { growth: site } = run.attach(1);
		const recorded = () => run.totals.takeCalls(all).map((delta) => delta.recorded);
		kernel.hit(site, { calls: 10 });
		kernel.count(site, { throttled: 6, lost: 1 });
		expect(recorded()).toEqual([0.3]);
		// Since it was taken before.
		kernel.hit(site, { calls: 4 });
		kernel.count(site, { throttled: 1 });
		expect(recorded()).toEqual([0.75]);
	});

	test("has a row for calls that found no room in the table, so that rows add up to the hits", () => {
		const run = new Setup();
		const { growth, work } = run.attach(1);
		kernel.hit(growth, { calls: 3 });
		kernel.count(growth, { hits: 5, rowLost: 5 });
		kernel.count(work, { hits: 7, rowLost: 7 });
		const lost = { map_type: "(not recorded)", caller: [{ fn: "(not recorded)" }] };
		const taken = run.totals.takeCalls(all);
		expect(taken.map(({ fn, calls, map_type, caller }) => ({ fn, calls, map_type, caller }))).toEqual([
			{ fn: "runtime.hashGrow", calls: 5, ...lost },
			{ fn: "runtime.growWork", calls: 7, ...lost },
			{ fn: "runtime.hashGrow", calls: 3, map_type: "map[int]T500000", caller: CALLER },
		]);
		expect(run.totals.takeCalls(all)).toEqual([]);
		kernel.count(work, { hits: 2, rowLost: 2 });
		expect(run.totals.takeCalls((site, window) => site === work && window === 1)).toEqual([
			{ site: work, ...row, ...lost, calls: 2, window: 1 },
		]);
	});

	test("is not looked for in the tables as long as nothing was hit", () => {
		const run = new Setup();
		const { growth, work } = run.attach(1);
		kernel.hit(work, { calls: 3 });
		kernel.end(growth, 100, 1);
		const take = () => [run.totals.takeCalls(all), run.totals.takeLatency(all)].map(({ length }) => length);
		const batches = () => {
			const before = fake.calls.batch;
			const taken = take();
			return [...taken, fake.calls.batch - before];
		};
		// All sites twice, and both tables.
		expect(batches()).toEqual([1, 1, 4]);
		expect(batches()).toEqual([0, 0, 2]);
		// An end changes a row, too.
		kernel.count(work, { paired: 1 });
		kernel.row(work, { timed: 1, elapsedNs: 5 });
		expect(batches()).toEqual([1, 0, 4]);
		expect(fake.calls.lookup).toBe(0);
	});

	test("of one window says nothing of the other, whichever is asked for first", () => {
		const run = new Setup();
		const { work } = run.attach(1);
		const take = (gate: 0 | 1) => run.totals.takeCalls((_, window) => window === gate).map(({ calls }) => calls);
		kernel.hit(work, { calls: 3 });
		kernel.hit(work, { calls: 5 }, { shape: SHAPE.window });
		expect([take(1), take(1), take(0), take(0)]).toEqual([[5], [], [3], []]);
		kernel.hit(work, { calls: 2 });
		expect([take(1), take(0)]).toEqual([[], [2]]);
	});
});

describe("a target that is released", () => {
	test("keeps its part in all totals", () => {
		const run = new Setup();
		const [a, b] = [run.attach(1), run.attach(2)];
		kernel.count(a.growth, { hits: 10, lost: 1, begun: 10, paired: 7, left: 1 });
		kernel.count(a.work, { hits: 5, picked: 2, begun: 5, paired: 5 });
		kernel.calls(a.work, 5);
		kernel.duration(a.growth, 100, 1);
		kernel.inCall(0xc000, 1, 0, 77);
		kernel.inCall(0xd000, 2, 0, 88);
		kernel.count(b.growth, { hits: 1, begun: 1 });
		expect(run.totals.takeCalls(() => true)).toEqual([expect.objectContaining({ pid: 1, calls: 5, caller: CALLER })]);
		expect(run.totals.takeLatency(() => true)).toEqual([expect.objectContaining({ pid: 1, count: 1, sum_ns: 100 })]);
		run.totals.release(a.target);
		expect(["call_rows", "latency_rows", "goroutines"].map((name) => fake.size(fd(name as MapName)))).toEqual([
			0, 0, 1,
		]);
		const decoded = decodedOf({ growths: 10, samples: 2 });
		const reading = run.totals.read([b.target], decoded, true);
		expect(reading.targets.map(({ pid }) => pid)).toEqual([2]);
		expect([...reading.calls].sort()).toEqual([
			["runtime.growWork", 5],
			["runtime.hashGrow", 11],
			["runtime.mapiternext", 0],
		]);
		expect(reading.ledger).toEqual({
			growth: { ...NOTHING, hits: 11, recorded: 10, lost: 1 },
			work: { ...NOTHING, hits: 5, recorded: 5 },
			sample: { ...NOTHING, hits: 5, recorded: 2, sampled_out: 3 },
			// Never left: one by its own count, one that was in its call when it ended, one that still is.
			latency: { ...NOTHING, hits: 16, recorded: 12, unpaired: { left: 3, evicted: 1, withdrawn: 0 } },
			iteration: NOTHING,
		});
		expect(run.totals.takeCalls(() => true)).toEqual([]);
	});

	test("has no calls on their way any more: those that it was in are never left", () => {
		const run = new Setup();
		const { target, growth } = run.attach(1);
		kernel.count(growth, { hits: 3, begun: 3, paired: 2 });
		kernel.inCall(0xc000, 1, 0, 77);
		run.totals.release(target);
		const { latency } = run.totals.read([], decodedOf({ growths: 3 }), false).ledger;
		expect(latency).toEqual({ ...NOTHING, hits: 3, recorded: 2, unpaired: { left: 1, evicted: 0, withdrawn: 0 } });
	});

	test("costs no more readings of the kernel's tables with others than alone", () => {
		/** Readings of eight targets that end, so many at once. */
		const readings = (atOnce: number): number => {
			newKernel();
			const run = new Setup(undefined, 64);
			const attached = Array.from({ length: 8 }, (_, n) => run.attach(n + 1));
			for (const { target, work } of attached) {
				kernel.count(work, { hits: 5, begun: 6, paired: 5 });
				kernel.calls(work, 5);
				kernel.duration(work, 100, 1);
				kernel.inCall(0xc000, target.identity.pid, 1, 77);
			}
			const before = fake.calls.batch;
			const targets = attached.map(({ target }) => target);
			while (targets.length > 0) run.totals.release(...targets.splice(0, atOnce));
			const calls = fake.calls.batch - before;
			const { ledger } = run.totals.read([], decodedOf(), true);
			expect([ledger.work.hits, ledger.work.recorded]).toEqual([40, 40]);
			expect(ledger.latency?.unpaired).toEqual({ left: 8, evicted: 0, withdrawn: 0 });
			expect(["call_rows", "latency_rows", "goroutines"].map((name) => fake.size(fd(name as MapName)))).toEqual([
				0, 0, 0,
			]);
			return calls;
		};
		// Rows that count and rows that go of the one table, rows of the other, and the goroutines.
		expect(readings(8)).toBe(4);
		expect(readings(1)).toBe(4 * 8);
	});

	test("and another one that takes over its numbers are told apart", () => {
		const run = new Setup();
		const a = run.attach(1);
		kernel.count(a.growth, { hits: 10, lost: 1, begun: 10, paired: 10 });
		kernel.calls(a.work, 4);
		kernel.count(a.work, { hits: 4, begun: 4, paired: 4 });
		kernel.duration(a.growth, 5000, 7);
		run.totals.takeLatency(() => true);
		run.totals.read([a.target], decodedOf({ growths: 9 }), false);
		run.totals.release(a.target);
		const b = run.attach(2);
		expect([b.growth, b.work, b.iteration].map(({ index }) => index).sort()).toEqual([0, 1, 2]);
		const before = run.totals.read([b.target], decodedOf({ growths: 9 }), false);
		expect(Object.fromEntries(before.targets[0]?.calls ?? [])).toEqual({
			...{ "runtime.hashGrow": 0, "runtime.growWork": 0, "runtime.mapiternext": 0 },
		});
		const all = () => true;
		expect([run.totals.takeCalls(all), run.totals.takeLatency(all)]).toEqual([[], []]);
		kernel.count(b.growth, { hits: 3, begun: 3, paired: 3 });
		kernel.count(b.work, { hits: 2, begun: 2, paired: 2 });
		kernel.calls(b.work, 2);
		kernel.duration(b.growth, 90, 1);
		const after = run.totals.read([b.target], decodedOf({ growths: 12 }), true);
		expect(after.targets[0]?.calls.get("runtime.hashGrow")).toBe(3);
		expect(after.calls.get("runtime.hashGrow")).toBe(13);
		expect(run.totals.takeCalls(all)).toEqual([expect.objectContaining({ pid: 2, calls: 2 })]);
		// The longest of the one before is not the longest of this one.
		expect(run.totals.takeLatency(all)).toEqual([expect.objectContaining({ pid: 2, count: 1, max_ns: 90 })]);
		expect(after.ledger.growth).toEqual({ ...NOTHING, hits: 13, recorded: 12, lost: 1 });
		expect(after.ledger.work).toEqual({ ...NOTHING, hits: 6, recorded: 6 });
		expect(after.ledger.latency).toEqual({
			...NOTHING,
			hits: 19,
			recorded: 19,
			unpaired: { left: 0, evicted: 0, withdrawn: 0 },
		});
	});
});

test("whatever happens in whatever order: windows never miss more than is on its way, and the end is complete", () => {
	for (let seed = 0; seed < 40; seed++) {
		newKernel();
		const random = new Prng(seed, 3);
		const run = new Setup();
		const attached: Attached[] = [];
		const decoded = decodedOf();
		/** Records that are in the ring. */
		const ring = { growths: 0, samples: 0 };
		const truth = { growths: 0, work: 0, lost: 0, workSeen: 0, durations: 0, durationsSeen: 0, never: 0 };
		/** Calls that have begun and not ended, with the process. */
		let open: { site: EntrySite; g: number; slot: number }[] = [];
		let goroutine = 1;
		let pid = 1;
		const leave = (paired: boolean): void => {
			const [call] = open.splice(random.below(open.length), 1);
			if (call === undefined) return;
			kernel.inCall(call.g, call.site.target.identity.pid, call.slot, 0);
			if (!paired) {
				truth.never++;
				kernel.count(call.site, { left: 1 });
				return;
			}
			kernel.count(call.site, { paired: 1 });
			kernel.duration(call.site, 100 + random.below(1000), random.below(BUCKETS));
			truth.durations++;
		};
		const drain = (): void => {
			decoded.growths += ring.growths;
			decoded.samples += ring.samples;
			Object.assign(ring, { growths: 0, samples: 0 });
		};
		const takeRows = (): void => {
			for (const { calls } of run.totals.takeCalls(() => true)) truth.workSeen += calls;
			for (const { count } of run.totals.takeLatency(() => true)) truth.durationsSeen += count;
		};
		const take = (final: boolean): ReturnType<Totals["read"]> => {
			const reading = run.totals.read(
				attached.map(({ target }) => target),
				decoded,
				final,
			);
			takeRows();
			return reading;
		};
		for (let step = 0; step < 200; step++) {
			const one = attached.length === 0 ? undefined : random.pick(attached);
			const what = random.below(12);
			if (one === undefined || (what === 0 && run.sites.room >= 3)) {
				attached.push(run.attach(pid++));
			} else if (what <= 3) {
				truth.growths++;
				const lost = random.chance(0.1);
				truth.lost += Number(lost);
				kernel.count(one.growth, { hits: 1, begun: 1, lost: Number(lost) });
				ring.growths += Number(!lost);
				kernel.inCall(goroutine, one.target.identity.pid, 0, 5 + step);
				open.push({ site: one.growth, g: goroutine++, slot: 0 });
			} else if (what <= 6) {
				truth.work++;
				const picked = random.chance(0.3);
				kernel.count(one.work, { hits: 1, begun: 1, picked: Number(picked) });
				kernel.calls(one.work, 1, 0x50_0000 + random.below(4) * 256, random.pick([0, 0x40_2000, 0x40_2100]));
				ring.samples += Number(picked);
				kernel.inCall(goroutine, one.target.identity.pid, 1, 5 + step);
				open.push({ site: one.work, g: goroutine++, slot: 1 });
			} else if (what <= 8) leave(random.chance(0.9));
			else if (what === 9) drain();
			else if (what === 10) {
				const { ledger } = take(false);
				for (const tier of Object.values(ledger)) expect(unaccounted(tier)).toBe(0);
				expect(ledger.growth).toMatchObject({ hits: truth.growths, lost: truth.lost });
				expect(ledger.growth.pending ?? 0).toBe(ring.growths);
				expect(ledger.sample?.pending ?? 0).toBe(ring.samples);
				expect((ledger.latency?.pending ?? 0) + (ledger.latency?.unpaired?.left ?? 0)).toBe(open.length + truth.never);
				expect(truth.workSeen).toBe(truth.work);
			} else if (random.chance(0.3)) {
				drain();
				takeRows();
				run.totals.release(one.target);
				attached.splice(attached.indexOf(one), 1);
				truth.never += open.filter(({ site }) => site.target === one.target).length;
				open = open.filter(({ site }) => site.target !== one.target);
			}
		}
		drain();
		const { ledger, calls } = take(true);
		for (const tier of Object.values(ledger)) expect(unaccounted(tier)).toBe(0);
		expect(ledger.growth).toEqual({
			...NOTHING,
			hits: truth.growths,
			recorded: truth.growths - truth.lost,
			lost: truth.lost,
		});
		expect(ledger.work).toEqual({ ...NOTHING, hits: truth.work, recorded: truth.work });
		const unpaired = { left: truth.never + open.length, evicted: 0, withdrawn: 0 };
		expect(ledger.latency).toMatchObject({ recorded: truth.durations, unpaired });
		expect([truth.workSeen, truth.durationsSeen]).toEqual([truth.work, truth.durations]);
		expect([calls.get("runtime.hashGrow"), calls.get("runtime.growWork")]).toEqual([truth.growths, truth.work]);
		expect(ledgerComplete(ledger)).toBe(truth.lost === 0);
	}
});
