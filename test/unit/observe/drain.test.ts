/** How often the ring is looked at: more rarely the longer nothing is in it, and soon again when something is. */
import { expect, test } from "bun:test";
import { Drain, type DrainSources } from "../../../src/observe/drain.ts";
import { Sinks } from "../../../src/observe/sinks.ts";
import { growthRecord } from "../stats/growth-record.ts";
import { ManualClock } from "./plain.ts";

test("looks are rarer the longer there was nothing to see, and no rarer than five a second", () => {
	const clock = new ManualClock();
	let waiting = 0;
	const sources = {
		clock,
		sinks: new Sinks([]),
		tracer: {
			setSampling: () => {},
			drain: (take: (record: ReturnType<typeof growthRecord>) => void) => {
				const given = waiting;
				for (; waiting > 0; waiting--) take(growthRecord());
				return given;
			},
			expire: () => {},
		},
		aggregator: { addGrowth: () => {} },
		governor: { addReading: () => {} },
	};
	const drain = new Drain(sources as unknown as DrainSources);
	const paces: number[] = [];
	const look = (ms: number): void => {
		for (const end = clock.ms + ms; clock.ms < end; ) {
			drain.drain();
			if (paces.at(-1) !== drain.paceMs) paces.push(drain.paceMs);
			clock.pass(drain.paceMs);
		}
	};
	look(20_000);
	expect(paces).toEqual([50, 100, 200]);
	expect([drain.idle, drain.asleep]).toEqual([true, true]);
	waiting = 3;
	look(1);
	expect(drain.paceMs).toBe(50);
	expect([drain.idle, drain.asleep]).toEqual([false, false]);
	waiting = 1000;
	look(1);
	expect(drain.paceMs).toBe(20);
});
