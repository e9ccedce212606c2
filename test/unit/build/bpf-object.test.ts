import { describe, expect, test } from "bun:test";
import { join } from "node:path";

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

	test("has no path of the machine that built it", async () => {
		const text = Buffer.from(await Bun.file(object).bytes()).toString("latin1");
		expect(text).not.toContain(top);
		expect(text.match(/\/[\w./-]+\.[ch]\b/g)?.filter((path) => !path.startsWith("/bpf/")) ?? []).toEqual([]);
	});
});
