import { expect, test } from "bun:test";
import { availableParallelism } from "node:os";
import { machineTime, parseMachineTime } from "../../../src/kernel/machine-time.ts";

test("reads the line of all processors: guests are in user and nice already", () => {
	const text = "cpu  100 1 20 3000 40 5 6 7 80 0\ncpu0 50 0 10 1500 20 2 3 3 40 0\n";
	expect(parseMachineTime(text)).toEqual({ allNs: 3179e7, idleNs: 3040e7 });
});

test("what is no such line tells nothing, and neither does a file that is not there", () => {
	for (const text of ["", "cpu", "cpu0 1 2 3 4 5 6 7 8\n", "cpu  1 2 x\n", "cpu  1 2 3 4\n"])
		expect(parseMachineTime(text)).toBeUndefined();
	expect(machineTime("/proc/1/no-such-file")).toBeUndefined();
});

test("passes as fast as the clock, on each processor", async () => {
	const [before, start] = [machineTime(), performance.now()];
	await Bun.sleep(500);
	const [after, end] = [machineTime(), performance.now()];
	if (before === undefined || after === undefined) throw new Error("no /proc/stat");
	const processors = (after.allNs - before.allNs) / ((end - start) * 1e6);
	expect(processors).toBeGreaterThan(0.8 * availableParallelism());
	expect(after.idleNs - before.idleNs).toBeLessThanOrEqual(after.allNs - before.allNs);
});
