/** The probed instructions in a target's memory: what the kernel put there, and what the file says. */
import { expect } from "bun:test";
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import type { TargetRecord } from "../../src/records/records.ts";
import type { Program } from "./processes.ts";

/** The target's memory at each probed instruction: one byte per probe. Only programs at a fixed address. */
export function siteBytes(pid: number, target: TargetRecord): number[] {
	expect(target.pie).toBe(false);
	const memory = openSync(`/proc/${pid}/mem`, "r");
	try {
		return target.probes.map((probe) => {
			const byte = Buffer.alloc(1);
			readSync(memory, byte, 0, 1, Number(probe.address));
			return byte[0] ?? -1;
		});
	} finally {
		closeSync(memory);
	}
}

function fileBytes(path: string, target: TargetRecord): number[] {
	const file = readFileSync(path);
	return target.probes.map((probe) => file[probe.file_offset] ?? -1);
}

export function targetRecord(program: Pick<Program, "stdout">): TargetRecord {
	const line = /^\{"type":"target".*$/m.exec(program.stdout)?.[0] ?? "";
	return JSON.parse(line) as TargetRecord;
}

/** Breakpoint instruction that the kernel puts at a probed x86-64 instruction. */
export const INT3 = 0xcc;

/** The target runs, and each probed instruction is the file's again; ends it. */
export async function expectUntouched(target: Program, record: TargetRecord): Promise<void> {
	const original = fileBytes(record.exe, record);
	await target.until(
		"removal of the probes",
		() => (siteBytes(target.pid, record).join() === original.join() ? true : undefined),
		2000,
	);
	expect(target.running).toBe(true);
	await target.stop();
}
