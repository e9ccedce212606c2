/** When windows end and what they say, with a clock of our own. */
import { describe, expect, test } from "bun:test";
import type { GomapgrowRecord } from "../../../src/records/records.ts";
import { FN, MemorySink, Plain, StateSink } from "./plain.ts";

const types = (records: readonly GomapgrowRecord[]): string[] => records.map(({ type }) => type);

describe("windows", () => {
	test("end on time, and the last one with the observation", async () => {
		const plain = new Plain();
		const sink = new MemorySink();
		expect(await plain.observe([sink], { durationMs: 3500 })).toBe("duration");
		expect(sink.of("window").map(({ interval_ns }) => interval_ns)).toEqual([1e9, 1e9, 1e9, 0.5e9]);
		expect(sink.of("window").map(({ elapsed_ns }) => elapsed_ns)).toEqual([1e9, 2e9, 3e9, 3.5e9]);
		expect(sink.end).toMatchObject({ reason: "duration", elapsed_ns: 3.5e9, complete: true });
		expect(types(sink.records)).toEqual(["start", "target", "target", ...Array(4).fill("window"), "end"]);
	});

	test("have what was drained in them, and the end has all of it", async () => {
		const plain = new Plain();
		const sink = new MemorySink();
		plain.clock.every(100, 10, 2000, () => plain.tracer.grow(1));
		plain.clock.every(200, 1010, 2000, () => plain.tracer.grow(2));
		await plain.observe([sink], { durationMs: 2500 });
		expect(sink.of("window").map(({ growths }) => growths)).toEqual([10, 15, 0]);
		expect(sink.of("window")[1]?.targets).toEqual([
			{ pid: 1, name: "p1", growths: 10, work: 0 },
			{ pid: 2, name: "p2", growths: 5, work: 0 },
		]);
		expect(sink.of("window").map(({ calls }) => calls[FN])).toEqual([10, 15, 0]);
		expect(sink.end).toMatchObject({ growths: 25, calls: { [FN]: 25 }, complete: true });
		expect(sink.of("growth")).toHaveLength(25);
	});

	test("that come late are as long as they were", async () => {
		const plain = new Plain();
		const sink = new MemorySink();
		plain.clock.at(990, () => plain.clock.pass(700));
		await plain.observe([sink], { durationMs: 3000 });
		const [first, second] = sink.of("window");
		expect(first?.interval_ns).toBe(1.69e9);
		// The next one ends on the grid again.
		expect(second).toMatchObject({ elapsed_ns: 2e9, interval_ns: 0.31e9 });
	});

	test("the interval may be longer than the observation", async () => {
		const plain = new Plain();
		const sink = new MemorySink();
		await plain.observe([sink], { durationMs: 250 });
		expect(sink.of("window").map(({ interval_ns }) => interval_ns)).toEqual([0.25e9]);
	});

	test("the ring is drained every 50 ms, and every 20 in a storm", async () => {
		const plain = new Plain();
		const drained: number[] = [];
		const { drain } = plain.tracer;
		plain.tracer.capacity = 5000;
		plain.tracer.drain = function (take) {
			drained.push(plain.clock.ms);
			return drain.call(this, take);
		};
		plain.clock.at(300, () => {
			for (let i = 0; i < 600; i++) plain.tracer.grow(1);
		});
		await plain.observe([new MemorySink()], { durationMs: 500 });
		expect([...new Set(drained)]).toEqual([0, 50, 100, 150, 200, 250, 300, 320, 370, 420, 470, 500]);
	});

	test("without records for a second the ring is drained every 100 ms, until there are some", async () => {
		const plain = new Plain();
		const drained = new Set<number>();
		const { drain } = plain.tracer;
		plain.tracer.drain = function (take) {
			drained.add(plain.clock.ms);
			return drain.call(this, take);
		};
		plain.clock.at(1550, () => plain.tracer.grow(1));
		await plain.observe([new MemorySink()], { durationMs: 2000 });
		expect([...drained].slice(18)).toEqual([
			900, 950, 1000, 1100, 1200, 1300, 1400, 1500, 1600, 1650, 1700, 1750, 1800, 1850, 1900, 1950, 2000,
		]);
	});

	test("what the governor changes is written down", async () => {
		const plain = new Plain();
		const sink = new MemorySink();
		const change = { stream: "work", from: 1, to: 0.05, costNs: 12e6, limitNs: 10e6 } as const;
		plain.clock.at(120, () => plain.governor.changes.push({ ...change, pid: 1 }));
		plain.clock.at(220, () =>
			plain.governor.changes.push({ ...change, pid: 1, stream: "durations", from: 0.1, to: 1 }),
		);
		await plain.observe([sink], { durationMs: 500 });
		const both = { type: "throttle", pid: 1, overhead: 0.012, budget: 0.01 } as const;
		expect(sink.of("throttle")).toEqual([
			{
				...{ ...both, time: "1970-01-01T00:00:00.150000000Z", elapsed_ns: 150e6, reason: "over the limit" },
				...{ tier: "work", what: "probed", from: 1, to: 0.05 },
			},
			{
				...{ ...both, time: "1970-01-01T00:00:00.250000000Z", elapsed_ns: 250e6, reason: "within the limit" },
				...{ tier: "growth", what: "timed", from: 0.1, to: 1 },
			},
		]);
	});
});

describe("the state of a window", () => {
	test("goes to the sinks that ask for it, and says who is watched and what was seen", async () => {
		const plain = new Plain();
		const [plainSink, asking] = [new MemorySink(), new StateSink()];
		const seen: unknown[] = [];
		asking.use = ({ total, view, closed }) => seen.push([total.growths, view.history.length, closed.growths]);
		plain.clock.every(250, 10, 2000, () => plain.tracer.grow(1));
		await plain.observe([plainSink, asking], { durationMs: 2000 });
		// The last window is empty: the observation ends with the second.
		expect(seen.slice(0, 2)).toEqual([
			[4, 1, 4],
			[8, 2, 4],
		]);
		expect(asking.states[0]?.targets.map(({ pid }) => pid)).toEqual([1, 2]);
		expect(plainSink.records).toEqual(asking.records);
	});

	test("has the details of rows when a sink shows them, and not otherwise", async () => {
		const newest = async (details: boolean): Promise<(number | undefined)[]> => {
			const plain = new Plain();
			const sink = Object.assign(new StateSink(), { details });
			const seen: (number | undefined)[] = [];
			sink.use = ({ view }) => seen.push(view.rows.types[0]?.newest?.pid);
			plain.clock.at(250, () => plain.tracer.grow(1));
			await plain.observe([new MemorySink(), sink], { durationMs: 500 });
			return seen;
		};
		expect(await newest(true)).toEqual([1]);
		expect(await newest(false)).toEqual([undefined]);
	});

	test("is computed for the first who asks, and not again", async () => {
		const plain = new Plain();
		const [one, two] = [new StateSink(), new StateSink()];
		await plain.observe([one, two], { durationMs: 500 });
		const [state] = one.states;
		expect(two.states[0]).toBe(state as never);
		expect(state?.view).toBe(two.states[0]?.view as never);
		for (const name of ["total", "view"] as const) {
			expect(Object.getOwnPropertyDescriptor(state ?? {}, name)?.get).toBeFunction();
		}
	});
});
