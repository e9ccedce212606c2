/** Truncated and altered debug information of real programs: only typed errors, in bounded time. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { buildProgram, hasToolchain } from "../../../build/layouts.ts";
import { DwarfData } from "../../../src/dwarf/dwarf-data.ts";
import { DwarfFile } from "../../../src/dwarf/dwarf-file.ts";
import type { DwarfSectionName } from "../../../src/dwarf/sections.ts";
import { openElf } from "../../../src/elf/elf-file.ts";
import { memorySource } from "../../../src/elf/memory-source.ts";
import { GomapgrowError } from "../../../src/errors/error.ts";
import { testWith } from "../../support/capability.ts";

const NAMES: readonly DwarfSectionName[] = [
	...([".debug_info", ".debug_abbrev", ".debug_line", ".debug_ranges", ".debug_rnglists", ".debug_addr"] as const),
	...([".debug_str", ".debug_line_str", ".debug_str_offsets"] as const),
];
type Sections = Map<DwarfSectionName, Uint8Array>;

function load(path: string): Sections {
	const elf = openElf(memorySource(readFileSync(path)));
	const sections: Sections = new Map();
	for (const name of NAMES) {
		const bytes = elf.debugSection(name);
		if (bytes) sections.set(name, bytes);
	}
	return sections;
}

/** Does everything that the reader can do. Errors of its own are fine, all others end the test. */
function readAll(sections: Sections): number {
	const source = { section: (name: DwarfSectionName) => sections.get(name) };
	const dwarf = DwarfFile.open(source);
	if (!dwarf) return 0;
	const walk = () => {
		const data = new DwarfData(
			source,
			source.section(".debug_info") as Uint8Array,
			source.section(".debug_abbrev") as Uint8Array,
		);
		for (const unit of data.units) {
			const dies = unit.dies();
			while (dies.next());
		}
	};
	const layouts = () => {
		for (const layout of dwarf.structLayouts(["runtime.g", "runtime.m", "runtime.moduledata", "runtime.p"]).values()) {
			dwarf.fieldAt(layout, "sched.pc");
		}
	};
	const lines = () => {
		for (let pc = 0x400000; pc < 0x500000; pc += 0x1777) dwarf.lineAt(pc);
	};
	let refused = 0;
	for (const read of [walk, layouts, lines, () => [...dwarf.goUnits()], () => dwarf.version]) {
		try {
			read();
		} catch (error) {
			if (!(error instanceof GomapgrowError) || error.code !== "E-BIN-MALFORMED") throw error;
			refused++;
		}
	}
	return refused;
}

/** What is done to a section: cut to a part of its length, and bytes altered near its start (headers) or anywhere. */
interface Damage {
	name: DwarfSectionName;
	cut: number | null;
	near: boolean;
	edits: { where: number; xor: number; ones: boolean }[];
}

const damage: fc.Arbitrary<Damage> = fc.record({
	name: fc.constantFrom(...NAMES),
	cut: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
	near: fc.boolean(),
	edits: fc.array(
		fc.record({
			where: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
			xor: fc.constantFrom(0xff, 0x80, 0x01, 0x10, 0x7f),
			ones: fc.boolean(),
		}),
		{ maxLength: 40 },
	),
});

function apply(sections: Sections, { name, cut, near, edits }: Damage): void {
	const bytes = sections.get(name);
	if (!bytes) return;
	const copy = Uint8Array.from(cut === null ? bytes : bytes.subarray(0, Math.floor(cut * bytes.length)));
	const span = near ? Math.min(copy.length, 300) : copy.length;
	for (const { where, xor, ones } of edits) {
		const at = Math.floor(where * span);
		copy[at] = ones ? 0xff : (copy[at] ?? 0) ^ xor;
	}
	sections.set(name, copy);
}

describe.each(["1.15", "1.24", "1.27"])("Go %s", (version) => {
	const missing = hasToolchain(version) ? undefined : `no toolchain of Go ${version} (make toolchains)`;

	testWith(missing)(
		"any damage gives typed errors within a second",
		() => {
			const intact = load(buildProgram(version));
			expect(readAll(intact)).toBe(0);
			fc.assert(
				fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), (damages) => {
					const sections: Sections = new Map(intact);
					for (const one of damages) apply(sections, one);
					// Of the processor, not of the clock: other tests may run on this machine.
					const start = process.cpuUsage();
					readAll(sections);
					const { user, system } = process.cpuUsage(start);
					expect((user + system) / 1000).toBeLessThan(1000);
				}),
				{ numRuns: 120 },
			);
		},
		120_000,
	);

	testWith(missing)("a section that is missing or empty is an error or an absence", () => {
		const intact = load(buildProgram(version));
		for (const name of intact.keys()) {
			const without: Sections = new Map(intact);
			without.delete(name);
			readAll(without);
			without.set(name, new Uint8Array(0));
			readAll(without);
		}
		const noTypes: Sections = new Map(intact).set(".debug_abbrev", new Uint8Array(0));
		expect(readAll(noTypes)).toBeGreaterThan(0);
	});
});

test("bytes that were never DWARF", () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 400 }), fc.uint8Array({ maxLength: 200 }), (info, rest) => {
			readAll(new Map(NAMES.map((name) => [name, name === ".debug_info" ? info : rest])));
		}),
		{ numRuns: 500 },
	);
});
