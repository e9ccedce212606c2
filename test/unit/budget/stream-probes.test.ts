/** The probes of one stream: when they are attached, which gates are written, and what is given out with which window. */
import { describe, expect, test } from "bun:test";
import type { Shape } from "../../../src/budget/periods.ts";
import { StreamProbes } from "../../../src/budget/stream-probes.ts";
import type { Window } from "../../../src/budget/window-weight.ts";
import { ManualClock, MS, SECOND, SimulatedStream } from "./simulated.ts";

const SHAPE: Shape = { periodNs: SECOND, n: 10 };

interface Taken {
	window: Window | undefined;
	gate: 0 | 1;
	periodNs: number;
	seen: number;
	atNs: number;
}

class Run {
	readonly clock = new ManualClock();
	readonly startNs = this.clock.ns;
	readonly control: SimulatedStream;
	readonly probes: StreamProbes;
	readonly taken: Taken[] = [];
	/** The slots that are chosen next, of n. */
	slots: number[] = [];

	constructor(attached: boolean, rate: (seconds: number) => number = () => 1000) {
		const { clock } = this;
		this.control = new SimulatedStream(clock, rate);
		this.control.attached.entries = this.control.attached.exits = attached;
		this.probes = new StreamProbes(
			{
				...{ control: { ...controlOf(this.control), cpuNs: () => clock.ns, costNs: () => 0 }, clockNs: () => clock.ns },
				holdNs: (ns) => {
					clock.ns += ns;
				},
				take: (window, gate, periodNs) => {
					this.taken.push({ window, gate, periodNs, seen: Math.round(this.control.take(gate)), atNs: clock.ns });
				},
				...{ intervalNs: SECOND, originNs: clock.ns, nextShape: () => SHAPE },
				random: () => ((this.slots.shift() ?? 5) + 0.5) / SHAPE.n,
			},
			attached,
		);
	}

	get ms(): number {
		return (this.clock.ns - this.startNs) / MS;
	}

	/** Until so many milliseconds after the start. */
	run(untilMs: number): void {
		while (this.ms < untilMs) {
			this.probes.advance(this.clock.ns);
			const next = Math.min(this.probes.nextNs(this.clock.ns), this.startNs + untilMs * MS);
			this.clock.ns = Math.max(next, this.clock.ns + 0.01 * MS);
		}
		this.probes.advance(this.clock.ns);
	}

	log(): [string, number][] {
		return this.control.log.map(({ what, atNs }) => [what, Math.round((atNs - this.startNs) / MS)]);
	}
}

function controlOf(stream: SimulatedStream) {
	return {
		setAttached: stream.setAttached.bind(stream),
		setGates: stream.setGates.bind(stream),
		underWay: stream.underWay.bind(stream),
	};
}

describe("from all the time to windows and back", () => {
	test("what was counted until then was measured in full", () => {
		const run = new Run(true);
		run.clock.ns += 500 * MS;
		run.probes.sample(run.clock.ns, SHAPE);
		expect(run.taken).toEqual([expect.objectContaining({ window: undefined, gate: 0, seen: 501 })]);
		expect([run.probes.mode, run.probes.everSampled]).toEqual(["windows", true]);
		expect(run.control.attached.entries).toBe(false);
	});

	test("each window is given out once, with what was seen in it and no more", () => {
		const run = new Run(true);
		run.probes.sample(run.clock.ns, SHAPE);
		run.run(6050);
		const windows = run.taken.slice(1);
		expect(windows.map(({ window }) => [window?.index, window?.n, window?.weight])).toEqual(
			[0, 1, 2, 3, 4, 5].map((index) => [index, 10, 10]),
		);
		for (const { seen, periodNs } of windows.slice(1)) expect([seen, Math.round(periodNs / MS)]).toEqual([100, 1000]);
		// The gates take turns.
		expect(windows.map(({ gate }) => gate)).toEqual([0, 1, 0, 1, 0, 1]);
		expect(run.probes.windows).toEqual({ windows: 6, missed: 0 });
		run.probes.full(run.clock.ns);
		expect(run.control.gates).toBeUndefined();
		const atNs = run.clock.ns;
		run.clock.ns += 100 * MS;
		run.probes.sample(run.clock.ns, SHAPE);
		const last = run.taken.at(-1);
		expect(last).toMatchObject({ window: undefined });
		expect(last?.seen).toBeCloseTo((run.clock.ns - atNs) / MS, -1);
	});

	test("gates are written before the probes are attached, and the probes are there before the gate opens", () => {
		const run = new Run(false);
		run.probes.sample(run.clock.ns, SHAPE);
		run.run(3500);
		const log = run.control.log;
		for (const [at, { what, atNs }] of log.entries()) {
			if (what !== "entries on") continue;
			const before = log.slice(0, at);
			expect(before.findLast((entry) => entry.what === "gates")).toBeDefined();
			expect(before.findLast((entry) => entry.what.startsWith("exits"))?.what).toBe("exits on");
			const gate = run.startNs + (Math.floor((atNs - run.startNs) / SECOND) + 0.5) * SECOND;
			expect(atNs).toBeLessThanOrEqual(gate);
		}
		expect(log.filter(({ what }) => what === "entries on").length).toBeGreaterThanOrEqual(3);
	});

	test("with windows back to back the probes stay, and each has its own gate", () => {
		const run = new Run(false);
		run.slots = [5, 9, 0, 5];
		run.probes.sample(run.clock.ns, SHAPE);
		run.run(4020);
		expect(run.taken.filter(({ window }) => (window?.weight ?? 0) > 0).map(({ seen, gate }) => [seen, gate])).toEqual([
			...[
				[100, 0],
				[100, 1],
				[100, 0],
				[100, 1],
			],
		]);
		const moves = run.log().filter(([what]) => what.startsWith("entries"));
		// On before 500, 1900 and 3500; the second and the third window are one stretch.
		expect(moves.map(([what]) => what)).toEqual([...Array(4).fill(["entries off", "entries on"]).flat()].slice(1, 7));
	});
});

describe("a window that was missed", () => {
	test("because attaching took too long: what it saw is dropped, and nobody gets its weight", () => {
		const run = new Run(false);
		run.probes.sample(run.clock.ns, SHAPE);
		run.run(1020);
		run.clock.attachNs = 90 * MS;
		run.run(2020);
		run.clock.attachNs = 10 * MS;
		run.run(3020);
		expect(run.taken.slice(1).map(({ window }) => window?.weight)).toEqual([10, 0, 10]);
		expect(run.taken.slice(1).map(({ window }) => window?.index)).toEqual([0, -1, 1]);
		expect(run.taken.at(-1)?.seen).toBe(100);
		expect(run.probes.windows).toEqual({ windows: 2, missed: 1 });
	});

	test("because nobody came to write its gate: probes that were still there from the window before do not make it one", () => {
		const run = new Run(false);
		run.slots = [5, 5, 1, 5, 5];
		run.probes.sample(run.clock.ns, SHAPE);
		run.run(1530);
		expect(run.control.attached.entries).toBe(true);
		// The probes are in for the window at 1,500; then nobody comes until the one at 2,100 is half over.
		run.clock.ns = run.startNs + 2150 * MS;
		run.run(5020);
		const seen = run.taken.map(({ window, seen }) => [window?.weight, seen]);
		// What came until the gate was written is missing.
		expect(seen.slice(1, 4)).toEqual([
			[10, 100],
			[10, 100],
			[0, expect.any(Number)],
		]);
		for (const [weight, count] of seen.slice(1)) if (weight === 10) expect(count).toBe(100);
		expect(run.probes.windows.missed).toBe(1);
	});
});

describe("exits", () => {
	test("stay until calls that began in a window have returned, a second at most", () => {
		const run = new Run(false);
		run.probes.sample(run.clock.ns, SHAPE);
		run.control.calls = 1;
		run.run(800);
		expect(run.control.attached).toEqual({ entries: false, exits: true });
		run.control.calls = 0;
		run.run(850);
		expect(run.control.attached.exits).toBe(false);
	});

	test("of a call that does not return go after a second", () => {
		const run = new Run(true);
		run.control.calls = 1;
		run.probes.setTiming(run.clock.ns, "off");
		run.run(900);
		expect(run.control.attached).toEqual({ entries: true, exits: true });
		run.run(1100);
		expect(run.control.attached).toEqual({ entries: true, exits: false });
	});

	test("have windows of their own while entries are attached all the time", () => {
		const run = new Run(true);
		run.probes.setTiming(run.clock.ns, SHAPE);
		run.run(4000);
		const exits = run.log().filter(([what]) => what.startsWith("exits"));
		expect(exits.map(([what]) => what).slice(0, 5)).toEqual([
			...["exits off", "exits on", "exits off", "exits on", "exits off"],
		]);
		expect(run.control.attached.entries).toBe(true);
		// Counts stay exact, and nothing was given out in windows.
		expect(run.taken).toEqual([]);
		expect(Math.round(run.control.take(0))).toBeGreaterThan(3900);
		run.probes.setTiming(run.clock.ns, "full");
		expect(run.control.attached.exits).toBe(true);
	});
});

describe("off", () => {
	test("gives out what was measured in full, and voids a window that is open", () => {
		const run = new Run(true);
		run.clock.ns += 100 * MS;
		run.probes.off(run.clock.ns);
		expect(run.taken).toEqual([expect.objectContaining({ window: undefined })]);
		expect(run.control.attached).toEqual({ entries: false, exits: false });
		run.probes.sample(run.clock.ns, SHAPE);
		run.run(1550);
		expect(run.control.attached.entries).toBe(true);
		run.probes.off(run.clock.ns);
		expect(run.taken.at(-1)?.window).toMatchObject({ weight: 0, index: -1 });
		expect([run.probes.mode, run.control.attached.entries]).toEqual(["off", false]);
	});

	test("counts the periods that it lasted as missed", () => {
		const run = new Run(false);
		run.probes.sample(run.clock.ns, SHAPE);
		run.run(2050);
		run.probes.off(run.clock.ns);
		const { missed } = run.probes.windows;
		run.clock.ns += 5 * SECOND;
		run.probes.sample(run.clock.ns, SHAPE);
		expect(run.probes.windows.missed - missed).toBe(5);
	});

	test("is where a glance looks for a moment, in which nothing counts", () => {
		const run = new Run(false);
		const attachedNs = run.probes.glance();
		expect(attachedNs).toBeGreaterThan(1 * MS);
		expect(run.log().map(([what]) => what)).toEqual(["gates", "entries on", "entries off"]);
		expect(run.control.entries()[0]?.counts).toMatchObject({ hits: 0 });
		expect(run.control.entries()[0]?.counts.outside).toBeGreaterThan(0);
		expect([run.control.take(0), run.control.take(1), run.taken]).toEqual([0, 0, []]);
		// Not while it is probed.
		run.probes.full(run.clock.ns);
		expect(run.probes.glance()).toBe(0);
	});
});
