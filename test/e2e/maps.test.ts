/**
 * The maps that are found from outside must be those that the program itself knows: test/programs/mapcensus prints
 * them.
 */
import { describe, expect } from "bun:test";
import { chmodSync, copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DiffRecord } from "../../src/census/diff-record.ts";
import type { CensusRecord, MapRecord } from "../../src/census/record.ts";
import { missingCommands, missingForTracing, testWith } from "../support/capability.ts";
import { expectError } from "../support/expect-error.ts";
import { goBuild } from "../support/go-binaries.ts";
import { copyOfSleep, type Program, start, temporaryFolder } from "../support/processes.ts";
import { validateRecords } from "../support/schema.ts";
import { GOMAPGROW, startGomapgrow } from "../support/trace.ts";
import { type BuildOptions, buildProgram } from "./build-program.ts";

const mapsTest = testWith(missingForTracing());

/** A map as the program knows it. */
interface Known {
	address: string;
	type: string;
	tag: string;
	entries: number;
	slots: number;
	growing: boolean;
}

async function startCensused(path: string): Promise<Program> {
	const program = start([path], { stdin: "pipe" });
	await program.untilOutput(/^ready/m, 60_000);
	return program;
}

/** Sends a command and returns what the program prints up to the line that ends its answer. */
async function ask(program: Program, command: string, end: RegExp): Promise<string> {
	const from = program.stdout.length;
	program.writeLine(command);
	await program.until(`an answer to ${command}`, ({ stdout }) => end.exec(stdout.slice(from)) ?? undefined, 60_000);
	return program.stdout.slice(from);
}

async function truth(program: Program): Promise<Known[]> {
	const text = await ask(program, "truth", /^end$/m);
	return text
		.split("\n")
		.filter((line) => line.includes("\t"))
		.map((line) => {
			const [address = "", type = "", tag = "", entries, slots, growing] = line.split("\t");
			return {
				...{ address: `0x${address}`, type, tag },
				...{ entries: Number(entries), slots: Number(slots), growing: growing === "true" },
			};
		});
}

async function census(pid: number, args: readonly string[] = []): Promise<{ record: CensusRecord; text: string }> {
	const program = startGomapgrow(["maps", "--json", ...args, String(pid)]);
	const exit = await program.finish(120_000);
	expect([exit.code, program.stderr]).toEqual([0, ""]);
	const record: CensusRecord = JSON.parse(program.stdout);
	expect(validateRecords([record])).toEqual([]);
	return { record, text: program.stdout };
}

const byAddress = (maps: readonly MapRecord[]): Map<string, MapRecord> =>
	new Map(maps.map((map) => [map.address, map]));

/**
 * Names that the runtime spells in two ways, and a named type that shares all with the map[K]V that it is made of.
 */
const plain = (type: string): string => (type === "main.labels" ? "map[string]string" : type);

/** Compares all that is in the heap; returns how many maps are of each certainty. */
function compare(known: readonly Known[], maps: readonly MapRecord[], label: string): Record<string, number> {
	const found = byAddress(maps);
	const counts: Record<string, number> = { exact: 0, fits: 0, candidates: 0 };
	for (const { address, type, tag, entries, slots, growing } of known) {
		if (tag === "garbage") continue;
		const map = found.get(address);
		const where = `${label}: ${tag} ${type} at ${address}`;
		// One that does not escape, with up to 8 entries, is on the stack with all that it has.
		if (tag === "stack" && entries <= 8) {
			expect(map, where).toBeUndefined();
			continue;
		}
		if (tag === "stack")
			expect([where, map?.holder?.path]).toEqual([where, expect.stringMatching(/: main\.stackMap$/)]);
		if (map === undefined) {
			// One without any memory is a map only if something of known type refers to it.
			expect([where, entries], where).toEqual([where, 0]);
			continue;
		}
		counts[map.certainty] = (counts[map.certainty] ?? 0) + 1;
		expect([where, map.entries, map.growing !== undefined]).toEqual([where, entries, growing]);
		if (map.slots !== 0) expect([where, map.slots]).toEqual([where, slots]);
		if (map.type !== undefined) expect([where, plain(map.type)]).toEqual([where, plain(type)]);
		else expect(map.candidates, where).toContain(type);
		expect(map.referenced, where).toBe(true);
	}
	return counts;
}

describe("all maps, with the right types and numbers", () => {
	const builds: { version: string; options: BuildOptions; exact: number }[] = [
		{ version: "1.15", options: {}, exact: 200 },
		{ version: "1.15", options: { stripped: true }, exact: 200 },
		{ version: "1.19", options: { stripped: true }, exact: 200 },
		{ version: "1.21", options: {}, exact: 200 },
		{ version: "1.23", options: { stripped: true, pie: true }, exact: 850 },
		{ version: "1.24", options: { stripped: true }, exact: 850 },
		{ version: "1.27", options: {}, exact: 850 },
		{ version: "1.27", options: { stripped: true, pie: true }, exact: 850 },
	];
	for (const { version, options, exact } of builds) {
		const label = `Go ${version}${options.stripped ? " stripped" : ""}${options.pie ? " PIE" : ""}`;
		mapsTest(
			label,
			async () => {
				const program = await startCensused(buildProgram("mapcensus", version, options));
				const { record, text } = await census(program.pid);
				const known = await truth(program);
				const counts = compare(known, record.maps ?? [], label);
				expect(counts.exact).toBeGreaterThan(exact);
				const inHeap = known.filter(({ tag, entries }) => tag !== "stack" || entries > 8);
				expect(inHeap.length).toBeGreaterThan(890);
				const total = (counts.exact ?? 0) + (counts.fits ?? 0) + (counts.candidates ?? 0);
				expect(total).toBeGreaterThan(inHeap.length - (exact > 800 ? 5 : 40));
				// Next to nothing else: the runtime and the standard library have a few.
				expect((record.maps?.length ?? 0) - total).toBeLessThan(30);
				expect(text).not.toContain("MARKER");
				const [inUse = 0] = (await ask(program, "memory", /^memory.*$/m)).match(/\d+/g)?.map(Number) ?? [];
				expect(Math.abs(record.heap_bytes - inUse) / inUse).toBeLessThan(0.1);
				await program.stop();
			},
			120_000,
		);
	}

	mapsTest(
		"with noswissmap",
		async () => {
			const path = goBuild({ program: "mapcensus", version: "1.25", ldflags: "-s -w", experiment: "noswissmap" });
			const program = await startCensused(path);
			const { record } = await census(program.pid);
			expect(record.map_impl).toBe("classic");
			expect(compare(await truth(program), record.maps ?? [], "noswissmap").exact).toBeGreaterThan(850);
			await program.stop();
		},
		120_000,
	);
});

describe("holders", () => {
	mapsTest(
		"globals by name, chains of fields, elements, frames",
		async () => {
			const program = await startCensused(buildProgram("mapcensus", "1.27"));
			const { record } = await census(program.pid);
			const known = await truth(program);
			const found = byAddress(record.maps ?? []);
			const holderOf = (tag: string) =>
				found.get(known.find((each) => each.tag === tag && each.entries > 0)?.address ?? "")?.holder;
			expect(holderOf("global shrunk")).toEqual({ kind: "global", path: "main.gShrunk" });
			expect(holderOf("tiny.m")).toEqual({
				kind: "field",
				path: "(main.tiny).m <- (main.small).more <- (main.server).next <- main.gServer",
			});
			expect(holderOf("server.shards.m")?.path).toBe("(main.server).shards[].m <- main.gServer");
			expect(holderOf("map element")).toEqual({ kind: "map", path: "main.gOfMaps[]" });
			expect(holderOf("slice element")?.path).toBe("main.gSlice[]");
			expect(holderOf("frame-only")).toMatchObject({ kind: "stack" });
			expect(holderOf("frame-only")?.path).toMatch(/^goroutine \d+: main\.heldByFrame$/);
			await program.stop();
		},
		120_000,
	);

	mapsTest(
		"maps to which nothing refers are marked, and no other",
		async () => {
			const program = await startCensused(buildProgram("mapcensus", "1.27", { stripped: true }));
			await ask(program, "garbage", /^ok$/m);
			const { record } = await census(program.pid);
			const known = await truth(program);
			const found = byAddress(record.maps ?? []);
			compare(known, record.maps ?? [], "with garbage");
			const shown = known.filter(({ tag }) => tag === "garbage").flatMap(({ address }) => found.get(address) ?? []);
			const marked = shown.filter(({ referenced }) => referenced === false);
			// A collection may have come in between, and taken them.
			expect(marked.length).toBeGreaterThanOrEqual(shown.length - 5);
			expect(record.garbage.unreferenced_maps).toBe(
				(record.maps ?? []).filter(({ referenced }) => referenced === false).length,
			);
			await program.stop();
		},
		120_000,
	);
});

describe("maps that are written all the time", () => {
	for (const version of ["1.19", "1.24", "1.27"]) {
		mapsTest(
			`Go ${version}`,
			async () => {
				const program = await startCensused(buildProgram("mapcensus", version, { stripped: true }));
				await ask(program, "hot", /^ok$/m);
				await Bun.sleep(500);
				const hot = (await truth(program)).filter(({ tag }) => tag === "hot").map(({ address }) => address);
				expect(hot.length).toBe(200);
				let changing = 0;
				for (let look = 0; look < 5; look++) {
					const { record } = await census(program.pid);
					const found = byAddress(record.maps ?? []);
					expect(hot.filter((address) => !found.has(address))).toEqual([]);
					changing += hot.filter((address) => found.get(address)?.changing === true).length;
				}
				expect(changing).toBeLessThanOrEqual(5);
				expect(program.running).toBe(true);
				await program.stop();
			},
			180_000,
		);
	}
});

describe("the command", () => {
	const folder = temporaryFolder("maps");

	mapsTest(
		"text: the map that wastes most comes first",
		async () => {
			const program = await startCensused(buildProgram("mapcensus", "1.27"));
			const run = async (...args: string[]): Promise<string> => {
				const tool = startGomapgrow(["maps", ...args, String(program.pid)]);
				const exit = await tool.finish(60_000);
				expect([exit.code, tool.stderr]).toEqual([0, ""]);
				return tool.stdout;
			};
			const text = await run("--top", "3");
			expect(text).toMatch(
				/^waste {3}3 entries in 65,536 slots: rebuilding map\[string\]\*main\.session of main\.gShrunk/m,
			);
			expect(text).toMatch(/^ *BYTES +ENTRIES +SLOTS +FILL +TOMB +TYPE +HELD BY\n.* 3 +65,536 +0%.*main\.gShrunk$/m);
			expect(text).toMatch(/^and \d+ more maps: --top \d+, or --json for all$/m);
			expect(await run("--by", "type", "--sort", "entries", "--top", "1")).toMatch(/ map\[string\]int$/m);
			expect(await run("--by", "holder", "--type", "main.session\\]int")).toContain("main.gPtrKey");
			expect(await run("--min", "1GB")).toContain("no maps");
			const groups = JSON.parse(await run("--by", "type", "--json"));
			expect(validateRecords([groups])).toEqual([]);
			expect(groups.groups.length).toBeGreaterThan(15);
			const top = JSON.parse(await run("--json", "--top", "2", "--min", "100kB"));
			expect([top.maps.length, top.omitted]).toEqual([2, top.maps_total - 2]);
			expect(top.maps[0].reclaimable_bytes).toBeGreaterThan(1_000_000);
			await program.stop();
		},
		120_000,
	);

	mapsTest(
		"readings are compared, in one run and from files",
		async () => {
			const program = await startCensused(buildProgram("mapcensus", "1.23", { stripped: true }));
			const files = [join(folder, "a.json"), join(folder, "b.json")];
			writeFileSync(files[0] ?? "", (await census(program.pid)).text);
			await ask(program, "garbage", /^ok$/m);
			writeFileSync(files[1] ?? "", (await census(program.pid)).text);
			const diff = startGomapgrow(["maps", "--diff", "--json", ...files]);
			expect((await diff.finish()).code).toBe(0);
			const record: DiffRecord = JSON.parse(diff.stdout);
			expect(validateRecords([record])).toEqual([]);
			const grown = record.groups.find(({ maps: [before, after] }) => after - before > 100);
			expect(grown?.type).toBe("map[string]int");
			await expectError(startGomapgrow(["maps", "--diff", ...files.toReversed()]), "E-USAGE");
			await expectError(startGomapgrow(["maps", "--diff", files[0] ?? ""]), "E-USAGE");
			writeFileSync(files[0] ?? "", (await census(program.pid)).text.slice(0, -3));
			await expectError(startGomapgrow(["maps", "--diff", ...files]), "E-RECORD-MALFORMED");
			const every = startGomapgrow(["maps", "--every", "300ms", "--count", "2", "--json", String(program.pid)]);
			expect((await every.finish()).code).toBe(0);
			const records = every.stdout
				.trim()
				.split("\n")
				.map((line) => JSON.parse(line));
			expect([records.length, validateRecords(records)]).toEqual([2, []]);
			await program.stop();
		},
		120_000,
	);

	mapsTest(
		"--wait-gc reads after a collection",
		async () => {
			const program = await startCensused(buildProgram("mapcensus", "1.27", { stripped: true }));
			await ask(program, "garbage", /^ok$/m);
			const tool = startGomapgrow(["maps", "--json", "--wait-gc", String(program.pid)]);
			await Bun.sleep(1000);
			await ask(program, "gc", /^ok$/m);
			expect((await tool.finish()).code).toBe(0);
			const record: CensusRecord = JSON.parse(tool.stdout);
			expect(record.garbage.unreferenced_maps).toBeLessThan(50);
			await expectError(startGomapgrow(["maps", "--wait-gc", "--timeout", "300ms", String(program.pid)]), "E-TIMEOUT");
			await program.stop();
		},
		120_000,
	);

	mapsTest(
		"several of a name, no Go program, ended, no such process, no time",
		async () => {
			const sleep = copyOfSleep(folder, "gmgmapsleep");
			const [first, second] = [start([sleep, "100"]), start([sleep, "100"])];
			await Bun.sleep(100);
			const several = startGomapgrow(["maps", "gmgmapsleep"]);
			expect((await several.finish()).code).toBe(2);
			expect(several.stderr).toContain(`${first.pid}`);
			expect(several.stderr).toContain(`${second.pid}`);
			await expectError(startGomapgrow(["maps", String(first.pid)]), "E-BIN-NOT-GO");
			await first.stop();
			await expectError(startGomapgrow(["maps", String(first.pid)]), "E-TARGET-GONE");
			await expectError(startGomapgrow(["maps"]), "E-USAGE");
			await expectError(startGomapgrow(["maps", "--by", "size", "1"]), "E-USAGE");
			const program = await startCensused(buildProgram("mapcensus", "1.27"));
			await expectError(startGomapgrow(["maps", "--timeout", "1ms", String(program.pid)]), "E-TIMEOUT");
			await program.stop();
		},
		120_000,
	);

	testWith(missingForTracing(), missingCommands("setpriv"))(
		"another user: denied, and with CAP_SYS_PTRACE allowed",
		async () => {
			const program = await startCensused(buildProgram("mapcensus", "1.27"));
			const copy = join(folder, "gomapgrow");
			copyFileSync(GOMAPGROW, copy);
			chmodSync(copy, 0o755);
			chmodSync(folder, 0o755);
			const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
			await expectError(start([...nobody, copy, "maps", String(program.pid)]), "E-TARGET-DENIED");
			const capable = [...nobody, "--inh-caps=+sys_ptrace", "--ambient-caps=+sys_ptrace"];
			const tool = start([...capable, copy, "maps", "--json", "--top", "1", String(program.pid)]);
			expect([(await tool.finish()).code, tool.stderr]).toEqual([0, ""]);
			await program.stop();
		},
		60_000,
	);
});
