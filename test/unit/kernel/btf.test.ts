import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { fsBaseIn, fsBaseOffset } from "../../../src/kernel/btf.ts";
import { missingCommands, testWith } from "../../support/capability.ts";
import { run } from "../../support/go-binaries.ts";
import { temporaryFolder } from "../../support/processes.ts";

const [INT, ARRAY, STRUCT, ENUM64] = [1, 3, 4, 19];

/** Builds type information by hand (Documentation/bpf/btf.rst). */
class Types {
	readonly #words: number[] = [];
	#strings = "\0";

	#name(name: string): number {
		this.#strings += `${name}\0`;
		return this.#strings.length - name.length - 1;
	}

	add(kind: number, name: string, parts: number, words: number[], flag = 0): this {
		this.#words.push(this.#name(name), ((flag << 31) | (kind << 24) | parts) >>> 0, 8, ...words);
		return this;
	}

	/** Members by their offset in bits. */
	struct(name: string, members: Record<string, number>, flag = 0): this {
		const words = Object.entries(members).flatMap(([member, bits]) => [this.#name(member), 1, bits]);
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
		.struct("task_struct", { stack: 0, thread: 4096 * 8 })
		.add(ENUM64, "wide", 2, [0, 1, 0, 0, 2, 0]);

describe("the place of a thread's FS base", () => {
	test("is that of two members together", () => {
		expect(
			fsBaseIn(
				described()
					.struct("thread_struct", { sp: 0, fsbase: 40 * 8 })
					.bytes(),
			),
		).toBe(4136);
	});

	test("leaves out the sizes of bit fields", () => {
		const fields = { sp: 0x0500_0000, fsbase: 40 * 8 };
		expect(fsBaseIn(described().struct("thread_struct", fields, 1).bytes())).toBe(4136);
		expect(
			fsBaseIn(
				described()
					.struct("thread_struct", { fsbase: 0x0500_0000 + 320 }, 1)
					.bytes(),
			),
		).toBe(4136);
	});

	test("is not known where a struct or a member is missing, or a kind of type is unknown", () => {
		expect(fsBaseIn(described().bytes())).toBeUndefined();
		expect(fsBaseIn(described().struct("thread_struct", { fs: 0 }).bytes())).toBeUndefined();
		const unknown = described().add(31, "later", 0, []).struct("thread_struct", { fsbase: 320 });
		expect(fsBaseIn(unknown.bytes())).toBeUndefined();
	});

	test("damaged descriptions give a number or nothing", () => {
		const whole = described().struct("thread_struct", { fsbase: 320 }).bytes();
		fc.assert(
			fc.property(
				fc.nat(whole.length),
				fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255))),
				(length, changes) => {
					const bytes = whole.slice(0, length);
					for (const [at, value] of changes) if (at < length) bytes[at] = value;
					const found = fsBaseIn(bytes);
					expect(found === undefined || Number.isFinite(found)).toBe(true);
				},
			),
		);
		fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => fsBaseIn(bytes) === undefined));
	});

	const kernel = "/sys/kernel/btf/vmlinux";
	const needed = existsSync(kernel) ? missingCommands("bpftool") : `${kernel} is missing`;
	testWith(process.arch === "x64" ? needed : "there is none on this machine")(
		"of the running kernel is what bpftool says",
		() => {
			const dump = run(["bpftool", "btf", "dump", "file", kernel]);
			const bits = (struct: string, member: string): number => {
				const body = dump.slice(dump.indexOf(`STRUCT '${struct}'`));
				return Number(new RegExp(`'${member}' type_id=\\d+ bits_offset=(\\d+)`).exec(body)?.[1]);
			};
			expect(fsBaseOffset()).toBe((bits("task_struct", "thread") + bits("thread_struct", "fsbase")) / 8);
			expect(fsBaseIn(new Uint8Array(readFileSync(kernel)))).toBe(fsBaseOffset() as number);
		},
	);

	test("is not known without a description, or in lockdown", () => {
		expect(fsBaseOffset("/nowhere")).toBeUndefined();
		const folder = temporaryFolder("btf");
		const [types, lockdown] = [join(folder, "vmlinux"), join(folder, "lockdown")];
		writeFileSync(types, described().struct("thread_struct", { fsbase: 320 }).bytes());
		for (const mode of ["[none] integrity confidentiality\n", "none [integrity] confidentiality\n"]) {
			writeFileSync(lockdown, mode);
			expect(fsBaseOffset(types, lockdown)).toBe(4136);
		}
		writeFileSync(lockdown, "none integrity [confidentiality]\n");
		expect(fsBaseOffset(types, lockdown)).toBeUndefined();
	});
});
