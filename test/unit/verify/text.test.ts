/** The text of `verify`, exactly. */
import { describe, expect, test } from "bun:test";
import { byHand } from "../../../src/verify/equivalent-commands.ts";
import type { VerificationRecord, VerifiedFunction } from "../../../src/verify/record.ts";
import { verifyText } from "../../../src/verify/text.ts";
import { expectGolden } from "../report/golden.ts";

function counted(fn: string, calls: number, restarts: number, extra: Partial<VerifiedFunction> = {}): VerifiedFunction {
	return {
		...{ fn, tier: "work", address: "0x40dbe4", file_offset: 0xdbe4, instruction: "jbe +0x1cc", cost: "emulated" },
		...{ calls, restarts, passes: { bpf: calls + restarts, perf: calls + restarts } },
		...{ difference: { low: 0, high: 0 }, verdict: "equal", ...extra },
	};
}

const RECORD: VerificationRecord = {
	...{ type: "verification", time: "2026-11-24T09:47:12.188923286Z", duration_ns: 10_003_000_000, reason: "duration" },
	...{ pid: 9777, name: "shopd", exe: "/usr/bin/shopd", go_version: "go1.23.5", map_impl: "classic" },
	scope: "processors",
	functions: [
		counted("runtime.hashGrow", 12_690, 0, { tier: "growth" }),
		counted("runtime.growWork_fast64", 16_910, 0),
		counted("runtime.evacuate_fast64", 33_315, 3),
	],
	not_probed: [],
	verdict: "equal",
	by_hand: byHand(9777, [{ fn: "runtime.hashGrow", address: 0x40dbe4, fileOffset: 0xdbe4 }], 0x401000, 10),
};

const [first, second, third] = RECORD.functions as [VerifiedFunction, VerifiedFunction, VerifiedFunction];

describe("verify", () => {
	test("equal", async () => {
		await expectGolden("verify-equal.txt", verifyText(RECORD, false));
	});

	test("explained", async () => {
		const functions: VerifiedFunction[] = [
			first,
			{
				...second,
				passes: { bpf: 16_910, perf: 16_908 },
				difference: { low: -14, high: 11 },
				verdict: "explained",
				explanation:
					"equal but for 14 passes at most, which came, or were under way in a thread, while the counters were read",
			},
			third,
		];
		await expectGolden(
			"verify-explained.txt",
			verifyText({ ...RECORD, functions, verdict: "explained", scope: "threads", reason: "target-exit" }, false),
		);
	});

	test("a difference that has its reason, by its kind", () => {
		const explained = (difference: VerifiedFunction["difference"]): string => {
			const functions: VerifiedFunction[] = [first, { ...second, difference, verdict: "explained" }];
			return verifyText({ ...RECORD, functions, verdict: "explained" }, false).replaceAll("\n", " ");
		};
		expect(explained({ low: -2, high: 2 })).toContain("16,910  none ±2 ");
		expect(explained({ low: -2, high: 2 })).toContain(
			"explained: both counted 29,600 passes of 2 sites, equal as far as",
		);
		expect(explained({ low: -20, high: -20 })).toContain("16,910  -20 ");
		expect(explained({ low: -20, high: -20 })).toContain("what one of the two did not count has a reason");
	});

	test("unexplained", () => {
		const wrong: VerifiedFunction = {
			...second,
			passes: { bpf: 16_910, perf: 16_911 },
			difference: { low: 1, high: 1 },
			verdict: "unexplained",
		};
		const text = verifyText({ ...RECORD, functions: [first, wrong, third], verdict: "unexplained" }, false);
		expect(text).toContain("runtime.growWork_fast64  16,910         0  16,910  16,911  +1\n");
		expect(text.replaceAll("\n", " ")).toContain(
			"UNEXPLAINED: runtime.growWork_fast64 was counted differently, and no reason is known, unless another process of the same file came and went",
		);
		const less: VerifiedFunction = { ...wrong, difference: { low: -1, high: -1 } };
		const lessText = verifyText({ ...RECORD, functions: [less], verdict: "unexplained" }, false);
		expect(lessText).not.toContain("unless another process");
		expect(verifyText({ ...RECORD, functions: [wrong], verdict: "unexplained" }, true)).toContain("\u001b[31m");
	});
});
