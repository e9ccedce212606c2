/** What the verifier says when it refuses a program: its last words in the error, all of them for who asks. */
import { afterAll, beforeAll, expect, mock, test } from "bun:test";
import type { BpfObject as Objects, ProgramName } from "../../../src/kernel/bpf-object.ts";
import { thrownBy } from "../../support/thrown.ts";

const PATH = "../../../src/kernel/libbpf.ts";
const libbpf = { ...(await import("../../../src/kernel/libbpf.ts")) };
const EACCES = 13;
/** As the program `work` is refused; nothing is said of the others. */
const LOG = Array.from({ length: 900 }, (_, i) => `${i}: (bf) r${i % 10} = r1`).join("\n");

const buffers = new Map<string, Uint8Array>();
const levels: number[] = [];
const names = (text: Uint8Array): string => Buffer.from(text).toString().replace("\0", "");
const programs: string[] = [];
const symbols = {
	gmg_keep_user_reads: () => 0,
	bpf_object__open_mem: () => 1,
	bpf_object__find_program_by_name: (_object: number, name: Uint8Array) => programs.push(names(name)),
	bpf_object__find_map_by_name: () => 1,
	bpf_program__set_autoload: () => 0,
	bpf_program__set_expected_attach_type: () => 0,
	bpf_program__set_log_level: (_program: number, level: number) => levels.push(level),
	bpf_program__set_log_buf: (program: number, buffer: Uint8Array) => {
		buffers.set(programs[program - 1] ?? "", buffer);
		return 0;
	},
	bpf_map__set_initial_value: () => 0,
	bpf_map__set_max_entries: () => 0,
	libbpf_num_possible_cpus: () => 2,
	bpf_object__load: () => {
		buffers.get("work")?.set(Buffer.from(`${LOG}\n`));
		return -EACCES;
	},
	bpf_object__close: () => undefined,
};

let BpfObject: typeof Objects;
beforeAll(async () => {
	mock.module(PATH, () => ({ ...libbpf, libbpf: () => symbols }));
	({ BpfObject } = await import("../../../src/kernel/bpf-object.ts"));
});
afterAll(() => {
	mock.module(PATH, () => libbpf);
});

const OPTIONS = { mode: "multi", latency: true, iterations: true, maxSites: 1 } as const;

test("its last lines are in the error, with the way to the others", () => {
	const error = thrownBy(() => new BpfObject(OPTIONS));
	expect(error).toMatchObject({ code: "E-HOST-BPF" });
	expect(error.found).toBe(`EACCES: ${LOG.split("\n").slice(-3).join(" | ")}`);
	expect(error.mend).toStartWith("gomapgrow doctor --verifier-log");
	expect(levels).toEqual([]);
	expect(buffers.get("work")?.length).toBe(64 << 10);
});

test("all of them are given to who asks", () => {
	const logs: [ProgramName, string][] = [];
	const error = thrownBy(() => new BpfObject({ ...OPTIONS, onVerifierLog: (name, log) => logs.push([name, log]) }));
	expect(logs).toEqual([["work", LOG]]);
	expect(error).toMatchObject({ code: "E-HOST-BPF" });
	expect(levels).toEqual([1, 1, 1, 1]);
	// As much as a kernel takes.
	expect(buffers.get("work")?.length).toBe(0xffffff);
});
