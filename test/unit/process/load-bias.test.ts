/** Where an executable was loaded, from the mappings and from the auxiliary vector of a real process. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { type ElfFile, openElf } from "../../../src/elf/elf-file.ts";
import { biasOfEntryPoint, biasOfMappings, readLoadBias } from "../../../src/process/load-bias.ts";
import { exeInode, type MemoryMapping, readEntryPoint, readLoadedMaps } from "../../../src/process/procfs.ts";
import { fileSource, goBuild } from "../../support/go-binaries.ts";
import { type Program, start } from "../../support/processes.ts";
import { thrownBy } from "../../support/thrown.ts";

setDefaultTimeout(120_000);

interface Loaded {
	program: Program;
	elf: ElfFile;
	mappings: MemoryMapping[];
	entryPoint: number;
	inode: bigint;
	bias: number;
}

async function load(buildmode: "pie" | undefined): Promise<Loaded> {
	const path = goBuild({ version: "1.23", program: "relay", ...(buildmode === undefined ? {} : { buildmode }) });
	const program = start([path], { stdin: "pipe" });
	// Its mappings are complete when it answers.
	program.writeLine("");
	await program.untilOutput(/\n/);
	const { pid } = program;
	const mappings = readLoadedMaps(pid);
	// The kernel's own words: the mapping of the file's beginning, and the address that the file asks for.
	const first = mappings.find((mapping) => mapping.path === path && mapping.offset === 0);
	const asked = Number(/LOAD +0x0+ (0x[0-9a-f]+)/.exec(Bun.spawnSync(["readelf", "-lW", path]).stdout.toString())?.[1]);
	return {
		...{ program, mappings, bias: (first?.start ?? Number.NaN) - asked },
		elf: openElf(fileSource(path)),
		entryPoint: readEntryPoint(pid),
		inode: exeInode(pid).ino,
	};
}

describe.each(["pie", undefined] as const)("the load bias, build mode %p", (buildmode) => {
	test("is told by the mappings of the file", async () => {
		const { mappings, inode, elf, bias, program } = await load(buildmode);
		expect(biasOfMappings(mappings, inode, elf)).toBe(bias);
		expect(readLoadBias(program.pid, inode, elf)).toBe(bias);
		if (buildmode === undefined) expect(bias).toBe(0);
		else expect(bias).toBeGreaterThan(0);
	});

	test("is not that of a mapping of the whole file as data, wherever it lies", async () => {
		const { mappings, inode, elf, bias } = await load(buildmode);
		const data = { permissions: "r--p", offset: 0, inode: Number(inode), path: "" };
		const below = { ...data, start: 0x1000, end: 0x200000 } as MemoryMapping;
		const above = { ...data, start: 2 ** 46, end: 2 ** 46 + 0x200000 } as MemoryMapping;
		expect(biasOfMappings([below, ...mappings, above], inode, elf)).toBe(bias);
	});

	test("is told by the entry point where the mappings show another inode", async () => {
		const { mappings, inode, elf, entryPoint, bias, program } = await load(buildmode);
		expect(biasOfMappings(mappings, inode + 1n, elf)).toBeUndefined();
		expect(biasOfEntryPoint(mappings, entryPoint, elf)).toBe(bias);
		expect(readLoadBias(program.pid, inode + 1n, elf)).toBe(bias);
	});

	test("is not told by an entry point that does not lie in the mapped file as it asks for", async () => {
		const { mappings, elf, entryPoint } = await load(buildmode);
		for (const wrong of [0, 1, entryPoint + 16, entryPoint - 4096, entryPoint + 4096, 2 ** 52]) {
			expect(biasOfEntryPoint(mappings, wrong, elf)).toBeUndefined();
		}
		const changed = (change: Partial<MemoryMapping>) => mappings.map((mapping) => ({ ...mapping, ...change }));
		expect(biasOfEntryPoint(changed({ inode: 0 }), entryPoint, elf)).toBeUndefined();
		expect(biasOfEntryPoint(changed({ permissions: "rw-p" }), entryPoint, elf)).toBeUndefined();
		expect(biasOfEntryPoint(changed({ offset: 1 << 20 }), entryPoint, elf)).toBeUndefined();
	});
});

test("a process that executes something else has none", async () => {
	const { elf } = await load("pie");
	const other = start(["sleep", "60"]);
	const { ino } = exeInode(process.pid);
	expect(thrownBy(() => readLoadBias(other.pid, ino + 12345n, elf)).code).toBe("E-TARGET-GONE");
	await other.stop();
	expect(thrownBy(() => readLoadBias(other.pid, ino, elf)).code).toBe("E-TARGET-GONE");
});
