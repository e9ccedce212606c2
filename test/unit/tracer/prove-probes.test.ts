/** Whether probes are in, from what is read at their sites in the process. */
import { describe, expect, test } from "bun:test";
import type { MemoryRange } from "../../../src/kernel/process-memory.ts";
import type { PlannedProbe } from "../../../src/plan/probe-plan.ts";
import { proveProbes } from "../../../src/tracer/prove-probes.ts";
import { thrownBy } from "../../support/thrown.ts";

const BIAS = 0x5000;

function probe(fn: string, address: number, bytes: number[]): PlannedProbe {
	return {
		...{
			fn,
			role: "rehash",
			tier: "growth",
			entry: address,
			gRegister: "r14",
			argAbi: "regs",
			exits: [],
			callerDepth: 2,
		},
		site: {
			address,
			fileOffset: address,
			instruction: "",
			bytes: Uint8Array.from(bytes),
			cost: "emulated",
			reason: "",
		},
	};
}

const JBE = probe("runtime.a", 0x1000, [0x76, 0x10]);
const NOP = probe("runtime.b", 0x2000, [0x0f, 0x1f, 0x44, 0, 0]);

function prove(memory: Record<number, number[] | undefined>, arch = "amd64", probes = [JBE, NOP]): string | undefined {
	const read = (ranges: readonly MemoryRange[]) =>
		ranges.map(({ address, length }) => {
			const bytes = memory[address - BIAS];
			return bytes && Uint8Array.from(bytes.slice(0, length));
		});
	return proveProbes({ pid: 1, exe: "/x", probes, arch, bias: BIAS, read });
}

describe("on x86-64", () => {
	test("breakpoints and the call that a long nop becomes are proof", () => {
		expect(prove({ 4096: [0xcc], 8192: [0xcc] })).toBeUndefined();
		expect(prove({ 4096: [0xcc], 8192: [0xe8] })).toBeUndefined();
	});
	test("the file's own instruction is an error", () => {
		const error = thrownBy(() => prove({ 4096: [0xcc], 8192: [0x0f] }));
		expect(error.code).toBe("E-BIN-CHANGED");
		expect(error.wanted).toContain("runtime.b");
	});
	test("what cannot be read, or is something else, is no proof", () => {
		expect(prove({ 4096: [0xcc], 8192: undefined })).toContain(
			"not proven that all calls are seen: the code of runtime.b",
		);
		expect(prove({ 4096: [0x90], 8192: [0xcc] })).toContain("runtime.a");
	});
});

describe("on arm64", () => {
	const BLS = probe("runtime.c", 0x1000, [0x09, 0x01, 0x00, 0x54]);
	test("any other word is proof, the file's own is an error", () => {
		expect(prove({ 4096: [0xa0, 0, 0x20, 0xd4] }, "arm64", [BLS])).toBeUndefined();
		expect(thrownBy(() => prove({ 4096: [0x09, 0x01, 0x00, 0x54] }, "arm64", [BLS])).code).toBe("E-BIN-CHANGED");
	});
});
