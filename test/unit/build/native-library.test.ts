import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// Compilers and linkers are run.
setDefaultTimeout(60_000);

const top = join(import.meta.dir, "../../..");
const library = join(top, `dist/native/${process.arch}/libgomapgrow-bpf.so`);
const scratch = mkdtempSync(join(tmpdir(), "gomapgrow-native-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** Runs build/check-native.sh on a shared object: its exit code and what it said. */
function check(path: string): { code: number; said: string } {
	const run = Bun.spawnSync([join(top, "build/check-native.sh"), path]);
	return { code: run.exitCode, said: run.stderr.toString().trim() };
}

/** Compiles a shared object that has the functions the check insists on, and this C text. */
function compile(name: string, text: string, ...flags: string[]): string {
	const source = join(scratch, `${name}.c`);
	const out = join(scratch, `${name}.so`);
	const wanted = ["bpf_object__open_mem", "bpf_program__attach_uprobe_multi", "bpf_map__initial_value"];
	writeFileSync(source, `${wanted.map((symbol) => `void ${symbol}(void) {}\n`).join("")}${text}\n`);
	const run = Bun.spawnSync(["gcc", "-shared", "-fPIC", "-O1", "-fno-builtin", "-o", out, source, ...flags]);
	expect(run.stderr.toString()).toBe("");
	return out;
}

describe("the bundled library", () => {
	test("passes the check", () => {
		expect(check(library)).toEqual({ code: 0, said: "" });
	});

	test("loads in a process that has no libbpf, libelf or zlib, and is libbpf 1.5", () => {
		const script = `
			import { dlopen } from "bun:ffi";
			const { symbols } = dlopen(${JSON.stringify(library)}, { libbpf_major_version: { returns: "u32" }, libbpf_minor_version: { returns: "u32" } });
			console.log(symbols.libbpf_major_version(), symbols.libbpf_minor_version());`;
		const run = Bun.spawnSync([process.execPath, "-e", script]);
		expect({ out: run.stdout.toString().trim(), err: run.stderr.toString() }).toEqual({ out: "1 5", err: "" });
	});

	test("has no path of the machine that built it", async () => {
		const text = Buffer.from(await Bun.file(library).bytes()).toString("latin1");
		expect(text.match(/[\w./-]*(?:\.cache|gomapgrow)\/[\w./-]*/g) ?? []).toEqual([]);
	});
});

describe("the check", () => {
	test("accepts what the library may show: libbpf's public functions and gmg_*", () => {
		expect(check(compile("good", "void gmg_drain(void) {}"))).toEqual({ code: 0, said: "" });
	});

	test("refuses another export", () => {
		const { code, said } = check(compile("shows", "void elf_begin(void) {}\nvoid inflate(void) {}"));
		expect(code).toBe(1);
		expect(said).toEndWith("exports what it should hide: elf_begin inflate");
	});

	test("refuses a missing function", () => {
		const path = join(scratch, "empty.so");
		Bun.spawnSync(["gcc", "-shared", "-fPIC", "-x", "c", "-o", path, "-"], {
			stdin: Buffer.from("void gmg_x(void) {}"),
		});
		const { code, said } = check(path);
		expect(code).toBe(1);
		expect(said).toEndWith("does not export bpf_object__open_mem");
	});

	test("refuses a library other than libc", () => {
		const text = "double cos(double);\ndouble gmg_cos(double x) { return cos(x); }";
		const { code, said } = check(compile("needs", text, "-lm"));
		expect(code).toBe(1);
		expect(said).toEndWith("needs more than libc: libm.so.6");
	});

	test("refuses a function that glibc has only since 2.25", () => {
		const text = "long getrandom(void *, unsigned long, unsigned);\nlong gmg_r(void *p) { return getrandom(p, 1, 0); }";
		const { code, said } = check(compile("newer", text));
		expect(code).toBe(1);
		expect(said).toEndWith("needs a glibc newer than 2.22: getrandom@2.25");
	});
});
