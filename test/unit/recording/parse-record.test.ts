import { describe, expect, test } from "bun:test";
import { RecordParser } from "../../../src/recording/parse-record.ts";
import { syntheticRecording } from "../../support/synthetic-recording.ts";
import { EXAMPLES } from "../records/example-records.ts";

const parser = new RecordParser();

describe("a line of a recording", () => {
	test("is the record that was written, also when its stack is known", () => {
		for (const { lines } of [syntheticRecording(), { lines: EXAMPLES.map((record) => JSON.stringify(record)) }]) {
			for (const line of [...lines, ...lines]) {
				expect(parser.parse(line)).toEqual({ kind: "record", record: JSON.parse(line) });
			}
		}
	});

	test("equal stacks are one array, so that what is made of a stack can be kept", () => {
		const lines = syntheticRecording().lines.filter((line) => line.startsWith('{"type":"growth"'));
		const stacks = new Set(
			lines.map((line) => {
				const parsed = parser.parse(line);
				return parsed.kind === "record" && parsed.record.type === "growth" ? parsed.record.stack : undefined;
			}),
		);
		expect(stacks.size).toBe(new Set(lines.map((line) => line.slice(line.indexOf(',"stack"')))).size);
	});

	test("keeps fields that are not known, wherever they are", () => {
		const growth = EXAMPLES.find((record) => record.type === "growth");
		for (const more of [
			{ ...growth, later: { stack: [1, 2] } },
			{ type: "growth", later: { stack: [1, 2] }, ...growth },
			{ ...growth, stack: [{ fn: "main.f", column: 7 }] },
			{ ...growth, map_type: 'map[struct { A int "json:,\\"stack\\":[" }]bool' },
		]) {
			for (let time = 0; time < 3; time++) {
				expect(parser.parse(JSON.stringify(more))).toEqual({ kind: "record", record: more } as never);
			}
		}
	});

	test("a known stack does not make a record of what is none", () => {
		const growth = EXAMPLES.find((record) => record.type === "growth");
		expect(parser.parse(JSON.stringify(growth)).kind).toBe("record");
		const { goid: _, ...rest } = growth as { goid?: number };
		expect(parser.parse(JSON.stringify({ ...rest, pid: "12" }))).toMatchObject({ kind: "fault" });
		const text = JSON.stringify(growth);
		expect(parser.parse(`${text.slice(0, 40)}${text.slice(text.indexOf(',"stack"'))}`).kind).toBe("fault");
	});

	test("of another type is told apart from one that is none", () => {
		expect(parser.parse('{"type":"later","a":1}')).toEqual({ kind: "other", type: "later" });
		for (const line of ["", "{", "null", "5", "[]", '"text"', "{}", '{"type":7}', "\u0000\u0000"]) {
			expect(parser.parse(line).kind).toBe("fault");
		}
		expect(parser.parse('{"type":"loss"}')).toEqual({ kind: "fault", fault: "is no loss record: time is missing" });
	});

	test("of a newer schema is refused before anything else in it is looked at", () => {
		expect(parser.parse('{"type":"start","schema":2,"version":"9.1"}')).toEqual({
			kind: "newer",
			schema: 2,
			version: "9.1",
		});
		expect(parser.parse('{"schema":3,"type":"start"}')).toEqual({ kind: "newer", schema: 3, version: "unknown" });
		expect(parser.parse('{"type":"start","schema":"2"}').kind).toBe("fault");
	});

	test("keys that mean something to JavaScript are data", () => {
		const window = EXAMPLES.find((record) => record.type === "window");
		const text = JSON.stringify(window).replace('"runtime.hashGrow":3', '"__proto__":3,"constructor":4');
		const parsed = parser.parse(text);
		expect(parsed.kind).toBe("record");
		expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
	});
});
