import { expect, test } from "bun:test";
import { pace } from "../../../src/census/pace.ts";

test("sleeps until the processor time is within the share, and looks at the deadline meanwhile", () => {
	let [cpu, now, looks] = [0, 0, 0];
	const slept: number[] = [];
	const clock = {
		cpuMs: () => cpu,
		elapsedMs: () => now,
		sleepMs(ms: number) {
			slept.push(ms);
			now += ms;
		},
	};
	const rest = pace(0.2, clock, () => looks++);
	[cpu, now] = [10, 50];
	rest();
	expect(slept).toEqual([]);
	[cpu, now] = [120, 200];
	rest();
	expect(slept).toEqual([250, 150]);
	expect([now, looks]).toEqual([600, 2]);
});
