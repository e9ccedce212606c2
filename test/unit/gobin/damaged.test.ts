import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { memorySource } from "../../../src/elf/memory-source.ts";
import { GomapgrowError } from "../../../src/errors/error.ts";
import { type GoBinary, identifyGoProgram, openGoBinary, openGoProgram } from "../../../src/gobin/go-binary.ts";
import { inspectBinary } from "../../../src/inspect/collect.ts";
import { MACHINE } from "../../../src/process/machine.ts";
import { processorMs } from "../../fuzz/meter.ts";
import { type GoBuildOptions, goBuild, goRelease } from "../../support/go-binaries.ts";
import { withVersion } from "../../support/patched-version.ts";

/** Processor time; an undamaged file takes some 20 ms. */
const LONGEST_MS = 3000;
setDefaultTimeout(300_000);
const built = (options: Omit<GoBuildOptions, "program">): Uint8Array =>
	new Uint8Array(readFileSync(goBuild({ ...options, program: "chains" })));
const release127 = goRelease("1.27");
const BUILDS: [string, Uint8Array][] = [
	["1.15 pie", built({ version: "1.15", buildmode: "pie" })],
	["1.19", built({ version: "1.19" })],
	["1.23 cgo pie stripped", built({ version: "1.23", cgo: true, buildmode: "pie", strip: true })],
	["1.27 pie -s -w", built({ version: "1.27", buildmode: "pie", ldflags: "-s -w" })],
	[
		"too new, stripped",
		withVersion(goBuild({ version: "1.27", program: "chains", ldflags: "-s -w" }), release127.replace("1.27", "1.28")),
	],
	["too new", withVersion(goBuild({ version: "1.27", program: "chains" }), release127.replace("1.27", "1.28"))],
];

/** Runs all readers; only a GomapgrowError may come out of any. Returns what happened, for counting. */
function exercise(bytes: Uint8Array, whole: GoBinary): { opened: boolean; refused: number } {
	let refused = 0;
	const attempt = <T>(action: () => T): T | undefined => {
		try {
			return action();
		} catch (error) {
			if (!(error instanceof GomapgrowError)) {
				throw error;
			}
			refused++;
			return undefined;
		}
	};
	const started = processorMs();
	const binary = attempt(() => openGoBinary(memorySource(bytes)));
	if (binary !== undefined) {
		attempt(() => [binary.cgo, binary.stripped, binary.static, binary.buildId, binary.gnuBuildId, binary.mapImpl]);
		attempt(() => binary.functionsByName(["runtime.hashGrow", "main.chains", "main.absent"]));
		attempt(() => binary.functionsWithPrefix("runtime."));
		attempt(() => [binary.goidInCode, binary.mapTypesConfirmed]);
		attempt(() => binary.elf.symbols(["main.main", "runtime.text"]));
		attempt(() => binary.elf.debugSection(".debug_info"));
		const { minpc, maxpc, types, etypes } = whole.moduleData;
		for (let step = 0; step < 200; step++) {
			const vaddr = minpc + Math.floor(((maxpc - minpc) * step) / 200);
			attempt(() => binary.symbolize(vaddr));
			attempt(() => binary.functionAt(vaddr));
			attempt(() => binary.mapTypeAt(types + Math.floor((etypes - types) / 200 / 8) * 8 * step));
			attempt(() => binary.fileOffset(vaddr));
		}
	}
	attempt(() => {
		const program = identifyGoProgram(memorySource(bytes));
		inspectBinary(program, openGoProgram(program, { verifyLayouts: true }), { exe: "damaged", machine: MACHINE });
	});
	expect(processorMs() - started).toBeLessThan(LONGEST_MS);
	return { opened: binary !== undefined, refused };
}

describe.each(BUILDS)("damaged copies of a %s program give only errors with a code, in bounded time", (_what, file) => {
	const whole = openGoBinary(memorySource(file));
	const { moduleData } = whole;
	const moduleAt = whole.fileOffset(moduleData.address) ?? 0;
	const table = whole.elf.fileOffset(whole.elf.pointerAt(moduleData.address)) ?? 0;
	// Where damage has effects: headers, section headers, module data, the function table's header, index and body, and anywhere.
	const offset = fc.oneof(
		fc.integer({ min: 0, max: 1023 }),
		fc.integer({ min: whole.elf.header.shoff, max: file.length - 1 }),
		fc.integer({ min: moduleAt, max: moduleAt + 400 }),
		fc.integer({ min: table, max: table + 256 }),
		fc.integer({ min: table, max: Math.min(file.length - 1, table + 400_000) }),
		fc.integer({ min: 0, max: file.length - 1 }),
	);

	test("undamaged, nothing is refused", () => {
		expect(exercise(file, whole)).toEqual({ opened: true, refused: 0 });
	});

	test("cut short", () => {
		fc.assert(
			fc.property(fc.integer({ min: 0, max: file.length - 1 }), (length) => {
				const { opened, refused } = exercise(file.subarray(0, length), whole);
				expect(opened && refused === 0).toBeFalse();
			}),
			{ numRuns: 50 },
		);
	});

	test("with flipped bits", () => {
		let refusals = 0;
		fc.assert(
			fc.property(fc.array(fc.tuple(offset, fc.nat(7)), { minLength: 1, maxLength: 12 }), (flips) => {
				const copy = file.slice();
				for (const [at, bit] of flips) {
					copy[at] = (copy[at] ?? 0) ^ (1 << bit);
				}
				refusals += exercise(copy, whole).refused;
			}),
			{ numRuns: 60 },
		);
		expect(refusals).toBeGreaterThan(0);
	});

	test("with overwritten ranges", () => {
		fc.assert(
			fc.property(
				offset,
				fc.integer({ min: 1, max: 4096 }),
				fc.constantFrom(0, 0x7f, 0x80, 0xff),
				(at, length, byte) => {
					const copy = file.slice();
					copy.fill(byte, at, at + length);
					exercise(copy, whole);
				},
			),
			{ numRuns: 40 },
		);
	});
});
