import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Key, KeyReader } from "../../../src/tui/keys.ts";

/** Names of keys in angle brackets, other characters as they are. */
function spell(keys: readonly Key[]): string {
	return keys.map((key) => ("name" in key ? `<${key.name}>` : key.text)).join("");
}

function read(...pieces: string[]): string {
	const reader = new KeyReader();
	return spell(pieces.flatMap((piece) => reader.feed(piece)));
}

describe("keys", () => {
	test("characters are what was typed, of any width", () => {
		expect(read("q/漢🙂é ")).toBe("q/漢🙂é ");
	});

	test("control characters have names, or mean nothing", () => {
		expect(read("\x03\x1a\x0c\x15\r\n\t\x7f\x08\x00\x01")).toBe(
			"<ctrl-c><ctrl-z><ctrl-l><ctrl-u><enter><enter><tab><backspace><backspace>",
		);
	});

	// Sequences of xterm, the Linux console, rxvt and screen, in normal and application mode.
	for (const [sequence, name] of [
		["\x1b[A", "up"],
		["\x1bOA", "up"],
		["\x1b[1;5A", "up"],
		["\x1b[B", "down"],
		["\x1b[C", "right"],
		["\x1b[D", "left"],
		["\x1b[H", "home"],
		["\x1bOH", "home"],
		["\x1b[1~", "home"],
		["\x1b[7~", "home"],
		["\x1b[F", "end"],
		["\x1b[4~", "end"],
		["\x1b[8~", "end"],
		["\x1b[5~", "page-up"],
		["\x1b[6~", "page-down"],
		["\x1b[6;2~", "page-down"],
	] as const) {
		test(`${JSON.stringify(sequence)} is ${name}, also in pieces`, () => {
			expect(read(`x${sequence}y`)).toBe(`x<${name}>y`);
			expect(read(...Array.from(sequence), "q")).toBe(`<${name}>q`);
		});
	}

	test("sequences without a meaning do nothing, whatever letters they hold", () => {
		expect(read("\x1bOq\x1b[1;5q\x1b[200~\x1b[?1;2c\x1bq\x1b[Z")).toBe("");
		// Not even one that never ends.
		expect(read(`\x1b[${"1;".repeat(40)}`, "Aq")).toEndWith("q");
	});

	test("escape alone is the escape key once nothing follows", () => {
		const reader = new KeyReader();
		expect(spell(reader.feed("\x1b"))).toBe("");
		expect(reader.waiting).toBe(true);
		expect(spell(reader.flush())).toBe("<escape>");
		expect(reader.waiting).toBe(false);
		expect(spell(reader.flush())).toBe("");
		expect(spell(reader.feed("\x1b\x1b"))).toBe("<escape>");
		expect(spell(reader.flush())).toBe("<escape>");
		// A sequence that was cut off is no escape key.
		reader.feed("\x1b[1");
		expect(spell(reader.flush())).toBe("");
	});

	test("any input: never throws, never grows, and says the same in one piece and in many", () => {
		const part = fc.oneof(
			fc.string({ unit: "binary" }),
			fc.constantFrom("\x1b", "\x1b[", "\x1bO", "A", "~", "5;1", "q"),
		);
		fc.assert(
			fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
				const whole = new KeyReader();
				const pieces = new KeyReader();
				const once = spell(whole.feed(parts.join("")));
				const often = spell(parts.flatMap((piece) => pieces.feed(piece)));
				if (parts.every((piece) => !/[\ud800-\udfff]/.test(piece))) expect(often).toBe(once);
				whole.flush();
				expect(spell(whole.feed("q"))).toBe("q");
			}),
			{ numRuns: 300 },
		);
	}, 60_000);
});
