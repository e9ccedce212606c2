import { describe, expect, test } from "bun:test";
import {
	countRunnable,
	listThreads,
	parseSyscall,
	readThread,
	threadIdsByNamespace,
} from "../../../src/process/threads.ts";
import { start } from "../../support/processes.ts";

describe("/proc/PID/task/TID/syscall", () => {
	test.each([
		["running\n", "running"],
		// proc_pid_syscall(5): number, six arguments, stack pointer, program counter.
		["202 0x55d 0x80 0x0 0x0 0x0 0x0 0x7ffc8f1a5d38 0x46a1c3\n", { systemCall: 202, sp: 0x7ffc8f1a5d38, pc: 0x46a1c3 }],
		["-1 0xc000029f18 0x46d037\n", { systemCall: -1, sp: 0xc000029f18, pc: 0x46d037 }],
		["", undefined],
		["202\n", undefined],
		["a b c d\n", undefined],
	])("%j", (text, expected) => {
		expect(parseSyscall(text)).toEqual(expected as never);
	});

	test("of a process that sleeps, and of none", async () => {
		const sleep = start(["sleep", "60"]);
		const thread = await sleep.until("sleep in the kernel", () => {
			const now = readThread(sleep.pid, sleep.pid);
			return typeof now === "object" && now.systemCall > 0 ? now : undefined;
		});
		// clock_nanosleep, asm/unistd_64.h
		expect(thread.systemCall).toBe(230);
		expect(threadIdsByNamespace(sleep.pid)).toEqual(new Map([[sleep.pid, sleep.pid]]));
		await sleep.stop();
		expect(readThread(sleep.pid, sleep.pid)).toBeUndefined();
	});
});

test("threads that run are told from those that sleep, and from none", async () => {
	const busy = start(["sh", "-c", "while :; do :; done"]);
	const sleep = start(["sleep", "60"]);
	await busy.until("run of the loop", () => (countRunnable(busy.pid, listThreads(busy.pid)) === 1 ? true : undefined));
	await sleep.until("sleep", () => (countRunnable(sleep.pid, listThreads(sleep.pid)) === 0 ? true : undefined));
	await busy.stop();
	expect(countRunnable(busy.pid, [busy.pid])).toBe(0);
});
