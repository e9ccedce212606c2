/** Places of fields in the kernel's structs, by hand-made type information and by that of the running kernel. */
import { describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { type TaskOffsets, taskOffsets } from "../../../src/kernel/btf.ts";
import { missingCommands, testWith } from "../../support/capability.ts";
import { run } from "../../support/go-binaries.ts";
import { temporaryFolder } from "../../support/processes.ts";

const [INT, ARRAY, STRUCT, ENUM64] = [1, 3, 4, 19];

/** Builds type information by hand (Documentation/bpf/btf.rst). */
class Types {
	readonly #words: number[] = [];
	#strings = "\0";

	#name(name: string): number {
		if (name === "") return 0;
		this.#strings += `${name}\0`;
		return this.#strings.length - name.length - 1;
	}

	add(kind: number, name: string, parts: number, words: number[], flag = 0): this {
		this.#words.push(this.#name(name), ((flag << 31) | (kind << 24) | parts) >>> 0, 8, ...words);
		return this;
	}

	/** Members by their offset in bits; all of one type. */
	struct(name: string, members: Record<string, number>, flag = 0, type = 1): this {
		const words = Object.entries(members).flatMap(([member, bits]) => [this.#name(member), type, bits]);
		return this.add(STRUCT, name, Object.keys(members).length, words, flag);
	}

	bytes(): Uint8Array {
		const types = new Uint8Array(Uint32Array.from(this.#words).buffer);
		const header = new Uint8Array(24);
		const view = new DataView(header.buffer);
		view.setUint16(0, 0xeb9f, true);
		view.setUint8(2, 1);
		for (const [i, value] of [24, 0, types.length, types.length, this.#strings.length].entries()) {
			view.setUint32(4 + 4 * i, value, true);
		}
		return new Uint8Array(Buffer.concat([header, types, Buffer.from(this.#strings, "latin1")]));
	}
}

const described = (): Types =>
	new Types()
		.add(INT, "int", 0, [32])
		.struct("thread_struct2", { fsbase: 64 })
		.add(ARRAY, "", 0, [1, 1, 4])
		.struct("task_struct", { stack: 0, se: 128 * 8, thread: 4096 * 8 })
		.add(ENUM64, "wide", 2, [0, 1, 0, 0, 2, 0]);

const folder = temporaryFolder("btf");

function offsetsIn(bytes: Uint8Array): TaskOffsets {
	const path = join(folder, "vmlinux");
	writeFileSync(path, bytes);
	return taskOffsets(path, "/nowhere");
}

/** Of a kernel whose processes can be read. */
const complete = (): Types =>
	described()
		.struct("thread_struct", { sp: 0, fsbase: 40 * 8 })
		.struct("sched_entity", { load: 0, exec_start: 96 * 8, sum_exec_runtime: 104 * 8 });

describe("the places of a thread's fields", () => {
	test("are those of two members together", () => {
		expect(offsetsIn(complete().bytes())).toEqual({ fsBase: 4136, execStart: 224, sumExecRuntime: 232 });
	});

	test("leave out the sizes of bit fields", () => {
		const fields = { sp: 0x0500_0000, fsbase: 40 * 8 };
		expect(offsetsIn(described().struct("thread_struct", fields, 1).bytes())).toEqual({ fsBase: 4136 });
		const wide = described().struct("thread_struct", { fsbase: 0x0500_0000 + 320 }, 1);
		expect(offsetsIn(wide.bytes())).toEqual({ fsBase: 4136 });
	});

	test("are also found in members without a name", () => {
		const types = new Types()
			.add(INT, "int", 0, [32])
			.struct("", { "": 64, se: 128 * 8 })
			.struct("task_struct", { "": 16 * 8 }, 0, 2)
			.struct("sched_entity", { exec_start: 96 * 8 });
		expect(offsetsIn(types.bytes())).toEqual({ execStart: 16 + 128 + 96 });
		// One that has itself for a member ends somewhere.
		const endless = new Types().add(INT, "int", 0, [32]).struct("task_struct", { "": 64 }, 0, 2);
		expect(offsetsIn(endless.struct("sched_entity", { exec_start: 0 }).bytes())).toEqual({});
	});

	test("are not known where a struct or a member is missing, or a kind of type is unknown", () => {
		expect(offsetsIn(described().bytes())).toEqual({});
		expect(offsetsIn(described().struct("thread_struct", { fs: 0 }).bytes())).toEqual({});
		expect(offsetsIn(described().struct("sched_entity", { exec_start: 0 }).bytes())).toEqual({ execStart: 128 });
		const unknown = described().add(31, "later", 0, []).struct("thread_struct", { fsbase: 320 });
		expect(offsetsIn(unknown.bytes())).toEqual({});
	});

	test("damaged descriptions give numbers or nothing", () => {
		const whole = complete().bytes();
		const numbers = (bytes: Uint8Array): boolean => Object.values(offsetsIn(bytes)).every(Number.isFinite);
		fc.assert(
			fc.property(
				fc.nat(whole.length),
				fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255))),
				(length, changes) => {
					const bytes = whole.slice(0, length);
					for (const [at, value] of changes) if (at < length) bytes[at] = value;
					expect(numbers(bytes)).toBe(true);
				},
			),
		);
		fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), numbers));
	});

	const kernel = "/sys/kernel/btf/vmlinux";
	const needed = existsSync(kernel) ? missingCommands("bpftool") : `${kernel} is missing`;
	testWith(process.arch === "x64" ? needed : "there is no FS base on this machine")(
		"of the running kernel are what bpftool says",
		() => {
			const dump = run(["bpftool", "btf", "dump", "file", kernel]);
			const bytes = (struct: string, member: string): number => {
				const body = dump.slice(dump.indexOf(`STRUCT '${struct}'`));
				return Number(new RegExp(`'${member}' type_id=\\d+ bits_offset=(\\d+)`).exec(body)?.[1]) / 8;
			};
			const entity = bytes("task_struct", "se");
			expect(taskOffsets()).toEqual({
				fsBase: bytes("task_struct", "thread") + bytes("thread_struct", "fsbase"),
				sumExecRuntime: entity + bytes("sched_entity", "sum_exec_runtime"),
				execStart: entity + bytes("sched_entity", "exec_start"),
			});
		},
	);

	test("are not known without a description, or in lockdown", () => {
		expect(taskOffsets("/nowhere")).toEqual({});
		const [types, lockdown] = [join(folder, "types"), join(folder, "lockdown")];
		writeFileSync(types, complete().bytes());
		for (const mode of ["[none] integrity confidentiality\n", "none [integrity] confidentiality\n"]) {
			writeFileSync(lockdown, mode);
			expect(taskOffsets(types, lockdown).fsBase).toBe(4136);
		}
		writeFileSync(lockdown, "none integrity [confidentiality]\n");
		expect(taskOffsets(types, lockdown)).toEqual({});
	});
});
