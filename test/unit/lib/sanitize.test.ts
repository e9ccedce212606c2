import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { MAX_TEXT_LENGTH, sanitize } from "../../../src/lib/sanitize.ts";

describe("sanitize", () => {
	test("leaves ordinary text alone, whatever the script", () => {
		for (const text of ["", "store.(*Index).Add", "map[string]*在庫.節点", "naïve café", "🙂 ok"]) {
			expect(sanitize(text)).toBe(text);
		}
	});

	test("spells control characters out", () => {
		expect(sanitize("a\x1b[2Jb")).toBe("a\\x1b[2Jb");
		expect(sanitize("\x00\t\r\n\x7f\x9b")).toBe("\\x00\\x09\\x0d\\x0a\\x7f\\x9b");
	});

	test("replaces what reorders or hides text", () => {
		expect(sanitize("x\u202ey")).toBe("x\ufffdy");
		expect(sanitize("\u2066\u200b\ufeff\u2028")).toBe("\ufffd\ufffd\ufffd\ufffd");
		expect(sanitize("\u{e0041}")).toBe("\ufffd");
	});

	test("replaces surrogates without a partner and keeps pairs", () => {
		expect(sanitize("\ud83d")).toBe("\ufffd");
		expect(sanitize("a\ude42b")).toBe("a\ufffdb");
		expect(sanitize("\ud83d\ude42")).toBe("🙂");
	});

	test("keeps beginning and end of a long text", () => {
		expect(sanitize("abcdefghij", 5)).toBe("ab…ij");
		expect(sanitize("abcdefghij", 4)).toBe("ab…j");
		expect(sanitize("abcdefghij", 1)).toBe("…");
		expect(sanitize("abcdefghij", 0)).toBe("");
		expect(sanitize("abcde", 5)).toBe("abcde");
		expect(sanitize("🙂🙂🙂🙂", 3)).toBe("🙂…🙂");
		expect(sanitize(`${"a".repeat(50_000_000)}z`, 3)).toBe("a…z");
	});

	test("any text: bounded, well-formed, without control characters, and stable", () => {
		const unit = fc.oneof(
			fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
			fc.constantFrom("\x1b", "\u009b", "\u202e", "\u2067", "\ud800", "\udc00", "\u200d", "é", "漢"),
		);
		const text = fc.array(unit, { maxLength: 60 }).map((units) => units.join(""));
		fc.assert(
			fc.property(text, fc.integer({ min: 0, max: 40 }), (input, limit) => {
				const output = sanitize(input, limit);
				expect(Array.from(output).length).toBeLessThanOrEqual(limit);
				expect(output.isWellFormed()).toBe(true);
				for (const character of output) {
					const code = character.codePointAt(0) ?? 0;
					expect(code < 0x20 || (code >= 0x7f && code <= 0x9f)).toBe(false);
					expect((code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)).toBe(false);
				}
				expect(sanitize(output, limit)).toBe(output);
			}),
		);
	});

	test("the default bound is stated", () => {
		expect(Array.from(sanitize("x".repeat(10_000))).length).toBe(MAX_TEXT_LENGTH);
	});
});
