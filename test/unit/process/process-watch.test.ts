import { expect, test } from "bun:test";
import { isRunning } from "../../../src/process/process-watch.ts";
import { readStat } from "../../../src/process/procfs.ts";
import { start } from "../../support/processes.ts";

test("a process runs until it ends", async () => {
	const program = start(["sleep", "60"]);
	const { startTime } = readStat(program.pid);
	expect(isRunning(program.pid, startTime)).toBe(true);
	program.signal("SIGTERM");
	await program.exited;
	expect(isRunning(program.pid, startTime)).toBe(false);
});

test("another process with the same PID is not it", () => {
	const program = start(["sleep", "60"]);
	expect(isRunning(program.pid, readStat(program.pid).startTime - 1)).toBe(false);
});

test("a zombie has ended", async () => {
	const parent = start(["sh", "-c", "sleep 0.2 & echo $!; exec sleep 60"]);
	const pid = Number((await parent.untilOutput(/(\d+)\n/))[1]);
	const { startTime } = readStat(pid);
	expect(isRunning(pid, startTime)).toBe(true);
	await parent.until("end of the child", () => (isRunning(pid, startTime) ? undefined : true));
	expect(readStat(pid)).toMatchObject({ state: "Z", startTime });
});
