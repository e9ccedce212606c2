/** Every word of real programs, and random words, against binutils. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { decode } from "../../../../src/isa/arm64/decoder.ts";
import { goBuild } from "../../../support/go-binaries.ts";
import { Prng } from "../../../support/prng.ts";
import { flowOf, isSimulated, type ListedInstruction, listText, listWords, targetOf } from "./objdump.ts";

// The first build of a release compiles the standard library.
setDefaultTimeout(300_000);

const DIRECT = new Set(["jump", "branch", "call"]);
/** Go's "must not come here", which binutils does not know either. */
const GO_UNDEF = 0xbea71700;

function codeOf(word: number): Uint8Array {
	const code = new Uint8Array(4);
	new DataView(code.buffer).setUint32(0, word, true);
	return code;
}

/** What is wrong with the decoder's answer for a listed word, if anything. */
function disagreement(listed: ListedInstruction): string | undefined {
	const decoded = decode(codeOf(listed.word), 0);
	const flow = flowOf(listed);
	const say = (what: string): string =>
		`${listed.word.toString(16).padStart(8, "0")} ${listed.mnemonic} ${listed.operands}: ${what}, decoded ${JSON.stringify(decoded)}`;
	if (flow === undefined) {
		const wanted = listed.word === GO_UNDEF ? "stop" : "next";
		return decoded === undefined || decoded.flow === wanted ? undefined : say("not known to binutils");
	}
	if (decoded === undefined) return say("not decoded");
	if (decoded.flow !== flow) return say(flow);
	if (decoded.length !== 4 || decoded.offset !== 0) return say("wrong place");
	if (decoded.emulated !== isSimulated(listed)) return say("another cost");
	if (!DIRECT.has(flow)) return decoded.target === undefined ? undefined : say("no target");
	const target = targetOf(listed);
	const distance = target === undefined ? undefined : target - listed.address;
	return decoded.target === distance ? undefined : say(`target ${distance}`);
}

describe("the text of Go programs", () => {
	test.each([
		["1.15", {}],
		["1.19", {}],
		["1.23", { gcflags: "all=-N -l" }],
		["1.24", { experiment: "noswissmap" }],
		["1.27", {}],
	] as const)("Go %s %j", (version, options) => {
		const words = listText(goBuild({ version, program: "chains", arch: "arm64", ...options }));
		expect(words.length).toBeGreaterThan(100_000);
		expect(words.flatMap((word) => disagreement(word) ?? [])).toEqual([]);
		// The comparison means something: all flows are in there.
		const flows = new Set(words.map(flowOf));
		for (const flow of [
			"next",
			"jump",
			"branch",
			"call",
			"indirect-jump",
			"indirect-call",
			"return",
			"stop",
		] as const) {
			expect(flows).toContain(flow);
		}
	});
});

describe("words that no compiler emits", () => {
	let folder = "";
	beforeAll(() => {
		folder = mkdtempSync(join(tmpdir(), "gomapgrow-a64-"));
	});
	afterAll(() => rmSync(folder, { recursive: true }));

	function check(words: readonly number[]): string[] {
		const path = join(folder, "words");
		writeFileSync(path, Uint32Array.from(words));
		const listed = listWords(path);
		expect(listed.map(({ word }) => word)).toEqual([...words]);
		return listed.flatMap((word) => disagreement(word) ?? []);
	}

	test("random ones", () => {
		const random = new Prng(64);
		expect(check(Array.from({ length: 40_000 }, () => random.u32()))).toEqual([]);
	});

	test("random ones among the branches and system instructions", () => {
		const random = new Prng(65);
		// Bits 28 to 26 are 101.
		expect(check(Array.from({ length: 80_000 }, () => ((random.u32() & ~0x1c000000) | 0x14000000) >>> 0))).toEqual([]);
	});

	test("all branches to a register and all exceptions, with every single bit changed", () => {
		const random = new Prng(66);
		const bases = [
			...[0xd61f0000, 0xd63f0000, 0xd65f0000, 0xd69f03e0, 0xd6bf03e0],
			...[0xd61f081f, 0xd63f0c1f, 0xd65f0bff, 0xd65f0fff, 0xd69f0bff, 0xd71f0800, 0xd73f0c00],
			...[0xd4000001, 0xd4000002, 0xd4000003, 0xd4200000, 0xd4400000, 0xd4a00001, 0xd4a00002, 0xd4a00003],
			...[0x54000000, 0x5400000e, 0x5400000f, 0x10000000, 0x90000000],
		];
		const words = bases.flatMap((base) => [
			base,
			...Array.from({ length: 32 }, (_, bit) => (base ^ (1 << bit)) >>> 0),
			...Array.from({ length: 64 }, () => (base | (random.below(32) << 5) | random.below(32)) >>> 0),
		]);
		expect(check(words)).toEqual([]);
	});
});

describe("decode", () => {
	const anyCode = fc.uint8Array({ minLength: 4, maxLength: 64 });

	test("is silent about truncated and unaligned instructions", () => {
		fc.assert(
			fc.property(anyCode, fc.integer({ min: -8, max: 72 }), (code, offset) => {
				if (offset >= 0 && offset % 4 === 0 && offset + 4 <= code.length) return;
				expect(decode(code, offset)).toBeUndefined();
			}),
		);
	});

	test("depends on the four bytes alone, and moves targets along", () => {
		fc.assert(
			fc.property(anyCode, fc.nat(15), (code, index) => {
				const offset = index * 4;
				if (offset + 4 > code.length) return;
				const there = decode(code, offset);
				const alone = decode(code.slice(offset, offset + 4), 0);
				expect(there === undefined).toBe(alone === undefined);
				if (there === undefined || alone === undefined) return;
				const { target: movedTarget, offset: at, ...rest } = there;
				const { target, offset: _zero, ...same } = alone;
				expect(at).toBe(offset);
				expect<unknown>(rest).toEqual(same);
				expect(movedTarget).toBe(target === undefined ? (undefined as never) : target + offset);
			}),
		);
	});

	test("direct branches, and only they, have a target, a multiple of four", () => {
		fc.assert(
			fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (word) => {
				const decoded = decode(codeOf(word), 0);
				if (decoded === undefined) return;
				expect(decoded.target !== undefined).toBe(DIRECT.has(decoded.flow));
				expect((decoded.target ?? 0) % 4 === 0).toBe(true);
			}),
			{ numRuns: 2000 },
		);
	});
});
