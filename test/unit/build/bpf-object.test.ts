import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { run } from "../../support/go-binaries.ts";

const top = join(import.meta.dir, "../../..");
const object = join(top, "dist/native/gomapgrow.bpf.o");

describe("the BPF object", () => {
	test("has BTF and no DWARF", () => {
		const sections = Bun.spawnSync(["readelf", "-SW", object]).stdout.toString();
		const names = [...sections.matchAll(/\] (\.\S+)/g)].map((match) => match[1]);
		expect(names).toContain(".BTF");
		expect(names).toContain(".BTF.ext");
		expect(names.filter((name) => name?.startsWith(".debug"))).toEqual([]);
	});

	test("keeps the kernel from moving a program's stack to the CPU: each has a tail call", () => {
		const programs = run(["readelf", "-sW", object]);
		// Global functions that programs call are in .text.
		const section = run(["readelf", "-SW", object]).match(/\[ *(\d+)\] uprobe /)?.[1];
		const functions = [...programs.matchAll(/ FUNC +GLOBAL +\S+ +(\d+) (\w+)$/gm)];
		const entries = functions.filter(([, at]) => at === section).map(([, , name = ""]) => name);
		expect(entries).toEqual(expect.arrayContaining(["growth", "work", "leave"]));
		const listing = run(["llvm-objdump", "-d", "--section=uprobe", object]);
		for (const name of entries) {
			const body = listing.split(new RegExp(`^[0-9a-f]+ <${name}>:$`, "m"))[1]?.split(/^[0-9a-f]+ <(?!LBB)/m)[0];
			// BPF_FUNC_tail_call (linux/bpf.h)
			expect({ name, tailCalls: body?.match(/\tcall (12|0xc)$/gm)?.length }).toEqual({ name, tailCalls: 1 });
		}
	});

	test("has no path of the machine that built it", async () => {
		const text = Buffer.from(await Bun.file(object).bytes()).toString("latin1");
		expect(text).not.toContain(top);
		expect(text.match(/\/[\w./-]+\.[ch]\b/g)?.filter((path) => !path.startsWith("/bpf/")) ?? []).toEqual([]);
	});
});
