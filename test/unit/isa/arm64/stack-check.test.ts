/** The stack check of every function of programs of every release, against what binutils shows; and things that only look like one. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { decode } from "../../../../src/isa/arm64/decoder.ts";
import { findStackCheck, MAX_STACK_CHECK_BYTES, STACK_CHECK_TAKEN } from "../../../../src/isa/arm64/stack-check.ts";
import { isTaken } from "../../../../src/isa/stack-check.ts";
import { GO_VERSIONS, type GoBuildOptions, goBuild } from "../../../support/go-binaries.ts";
import { type ListedInstruction, listText, targetOf } from "./objdump.ts";

// The first build of a release compiles the standard library.
setDefaultTimeout(300_000);

/**
 * By what the listing shows alone: the last branch whose target leads, over nothing but moves and spills of registers, to a call of morestack. As offset
 * from the function's start.
 */
function listedCheck(listed: readonly ListedInstruction[]): { branch: number; target: number } | undefined {
	const start = listed[0]?.address ?? 0;
	const call = listed.findIndex(
		(line) => line.mnemonic === "bl" && /<runtime\.morestack(_noctxt)?(\.abi0)?>$/.test(line.operands),
	);
	if (call === -1) return undefined;
	let first = call;
	while (/^(str[bh]?|stur[bh]?|stp|mov|add|sub|movk)$/.test(listed[first - 1]?.mnemonic ?? "")) first--;
	const branches = listed.slice(0, call).filter((line) => {
		const target = targetOf(line) ?? 0;
		return (
			line.mnemonic === "b.ls" && target >= (listed[first]?.address ?? 0) && target <= (listed[call]?.address ?? 0)
		);
	});
	expect(branches.length).toBe(1);
	const [branch] = branches;
	return branch && { branch: branch.address - start, target: (targetOf(branch) ?? 0) - start };
}

function functionsOf(path: string): Map<string, ListedInstruction[]> {
	return Map.groupBy(listText(path), ({ fn }) => fn);
}

function codeOf(listed: readonly ListedInstruction[]): Uint8Array {
	return new Uint8Array(Uint32Array.from(listed, ({ word }) => word).buffer);
}

/** Each kind once more than the plain builds costs a compilation of the standard library. */
const BUILDS: [what: string, options: GoBuildOptions][] = [
	...GO_VERSIONS.map((version): [string, GoBuildOptions] => [version, { version, program: "frames", arch: "arm64" }]),
	["1.23 -N -l", { version: "1.23", program: "frames", arch: "arm64", gcflags: "all=-N -l" }],
	["1.27 pie", { version: "1.27", program: "frames", arch: "arm64", buildmode: "pie" }],
];

describe("every function of a program", () => {
	test.each(BUILDS)("%s", (_what, options) => {
		let checked = 0;
		const unchecked: string[] = [];
		for (const [name, listed] of functionsOf(goBuild(options))) {
			const code = codeOf(listed);
			const found = findStackCheck(code.subarray(0, MAX_STACK_CHECK_BYTES), code.length);
			const expected = listedCheck(listed);
			expect({ name, found: found && { branch: found.branchOffset, target: found.target } }).toEqual({
				name,
				found: expected,
			});
			if (found === undefined) unchecked.push(name);
			else checked++;
		}
		expect(checked).toBeGreaterThan(900);
		// Each size class of frames was there.
		for (const name of ["main.small", "main.medium", "main.large", "main.huge", "main.enormous"]) {
			expect(unchecked).not.toContain(name);
		}
	});
});

describe("findStackCheck", () => {
	const LS = 0x54000009;
	const words = (...list: number[]): Uint8Array => new Uint8Array(Uint32Array.from(list).buffer);
	/** b.cond over `count` instructions */
	const over = (base: number, count: number): number => base + count * 32;

	const FORMS: [name: string, code: Uint8Array, size: number, branch: number, target: number][] = [
		["hashGrow (1.23)", words(0xf9400b90, 0xeb3063ff, 0x54000f29), 0x210, 8, 0x1ec],
		["evacuate (1.19)", words(0xf9400b90, 0xd10103f1, 0xeb10023f, 0x54002729), 0x520, 12, 0x4f0],
		["hashGrow (1.15)", words(0xf9400b81, 0x910003e2, 0xeb01005f, 0x54001129), 0x240, 12, 0x230],
		["evacuate (1.15)", words(0xf9400b81, 0xd10143e2, 0xeb01005f, 0x540026a9), 0x4f0, 12, 0x4e0],
		[
			"subs of a register (1.19)",
			words(0xf9400b90, 0xd2826a1b, 0xeb3b63f1, 0x540005e3, 0xeb10023f, 0x540005a9),
			0x100,
			20,
			0xc8,
		],
		[
			"wrap-around (1.15)",
			words(0xf9400b81, 0x9280a43b, 0xeb1b003f, 0x54000700, 0x910e83e2, 0xcb010042, 0xd282e003, 0xeb03005f, 0x54000669),
			0x110,
			32,
			0xec,
		],
	];

	for (const [name, code, size, branchOffset, target] of FORMS) {
		test(name, () => {
			expect(findStackCheck(code, size)).toEqual({ branchOffset, branchLength: 4, target, gRegister: "x28" });
			// The target is the function's own, and lies ahead.
			expect(findStackCheck(code, target)).toBeUndefined();
			for (let length = 0; length < code.length; length++)
				expect(findStackCheck(code.subarray(0, length), size)).toBeUndefined();
		});
	}

	test("another condition, register, field or target than the compiler's", () => {
		const good = [0xf9400b90, 0xeb3063ff, over(LS, 9)];
		expect(findStackCheck(words(...good), 100)?.target).toBe(44);
		const wrong: [at: number, word: number][] = [
			[0, 0xf9400f90], // stackguard1
			[0, 0xf9400b70], // of X27
			[0, 0xf9400b91], // into X17
			[1, 0xeb3163ff], // cmp sp, x17
			[1, 0xeb10023f], // cmp x17, x16 with nothing in X17
			[2, over(LS - 1, 9)], // b.hi
			[2, over(LS, -1)],
			[2, over(LS, 0)],
		];
		for (const [at, word] of wrong) {
			expect(findStackCheck(words(...good.with(at, word >>> 0)), 100)).toBeUndefined();
		}
	});

	test("a wrap-around that leads elsewhere", () => {
		const good = [0xf9400b90, 0xf1400be0 + 17, over(0x54000003, 9), 0xeb10023f, over(LS, 7)];
		expect(findStackCheck(words(...good), 100)?.target).toBe(44);
		expect(findStackCheck(words(...good.with(2, over(0x54000003, 8))), 100)).toBeUndefined();
	});

	test("whatever is found is a b.ls ahead into the function", () => {
		const prefix = fc.constantFrom(...FORMS.map(([, code]) => code));
		fc.assert(
			fc.property(prefix, fc.uint8Array({ maxLength: 48 }), fc.nat(64), fc.nat(2000), (form, noise, at, size) => {
				const bytes = Uint8Array.from([...form.subarray(0, at), ...noise]);
				const check = findStackCheck(bytes, size);
				if (check === undefined) return;
				expect(decode(bytes, check.branchOffset)).toMatchObject({
					flow: "branch",
					target: check.target,
					emulated: true,
				});
				expect((bytes[check.branchOffset] ?? 0) & 0x1f).toBe(9);
				expect(check.target).toBeGreaterThan(check.branchOffset);
				expect(check.target).toBeLessThan(size);
			}),
		);
	});
});

test("b.ls is taken when C is clear or Z is set", () => {
	// N Z C V in bits 31 to 28; the other bits of PSTATE do not matter.
	for (let nzcv = 0; nzcv < 16; nzcv++) {
		const z = (nzcv & 4) !== 0;
		const c = (nzcv & 2) !== 0;
		for (const rest of [0, 0x1000, 0x0fff_ffff]) {
			expect(isTaken(STACK_CHECK_TAKEN, ((nzcv << 28) | rest) >>> 0)).toBe(!c || z);
		}
	}
});
