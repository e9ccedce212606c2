/** Advice as text, Markdown, annotations and JSON; names come from untrusted programs. */
import { describe, expect, test } from "bun:test";
import { Adviser } from "../../../src/advise/advise.ts";
import { checkPromises, checkText, verdictOf } from "../../../src/advise/check.ts";
import { githubAnnotations } from "../../../src/advise/github.ts";
import { adviceMarkdown, adviceText, topAdvice } from "../../../src/advise/text.ts";
import type { MakeRow } from "../../../src/records/makes.ts";
import { validateRecords } from "../../support/schema.ts";
import { type Pretended, pretendedRow, pretendedTarget } from "./pretended.ts";

const FIXED: Pretended = { impl: "swiss", sizes: [[3000, 600]], storage: 136, pointers: false };
const TINY: Pretended = {
	...FIXED,
	sizes: [
		[3, 9900],
		[100, 100],
	],
	line: 40,
	type: "map[string]int",
};

function adviser(...rows: MakeRow[]): Adviser {
	const sum = new Adviser();
	sum.add(pretendedTarget("swiss"));
	sum.add({ type: "end", elapsed_ns: 10e9, complete: true, makes: rows, measured: { make: "all" } } as never);
	return sum;
}

describe("output", () => {
	const record = adviser(...[FIXED, TINY].map(pretendedRow)).result();

	test("JSON fits the schema", () => {
		expect(record.advice.map(({ kind }) => kind)).toEqual(["presize", "leave"]);
		expect(validateRecords([record])).toEqual([]);
	});

	test("text", () => {
		const text = adviceText(record, 20);
		expect(text).toContain("presize      main.newIndex prog.go:14  make(map[int]int, 3000)");
		expect(text).toMatch(
			/6,000 growths fewer and 4\d MB less allocated \(\d+ % of what the line's maps allocate\): 600 growths\/s/,
		);
		expect(text).toContain("600 maps made, 600 grew, size known of 600 · a map holds as much as before");
		expect(text).toContain("grows at main.(*index).fill prog.go:19");
		expect(text).toMatch(
			/leave it .*\n +grows 400 times, but 9,900 of 10,000 maps need no hint: \d+ would cost [\d.]+ MB more/,
		);
		expect(adviceText(record, 1)).toContain("and 1 more: --rows 2");
		expect(topAdvice(record, 3)).toEqual(["presize  main.newIndex prog.go:14  make(map[int]int, 3000)"]);
	});

	test("what is not known is said", () => {
		const sum = new Adviser();
		sum.add(pretendedTarget("swiss"));
		const mixed = {
			...pretendedRow(FIXED),
			hints: [
				[0, 300],
				[100, 300],
			],
			unknown: 500,
			sizes: [[3000, 100]],
		};
		sum.add({
			type: "end",
			elapsed_ns: 1e9,
			complete: true,
			makes: [mixed],
			growths_unlinked: 17,
			makes_omitted: 3,
		} as never);
		sum.add({ type: "end", elapsed_ns: 1e9, complete: true } as never);
		const result = sum.result();
		expect(result).toMatchObject({ advice: [], undecided: 1, growths_unlinked: 17, complete: false });
		const text = adviceText(result, 20);
		for (const part of [
			"made before the start",
			"17 growths",
			"1 recording without makes",
			"3 maps made at lines",
			"too little known of 1 line",
		]) {
			expect(text).toContain(part);
		}
	});

	test("names are no commands: not for a terminal, not for Markdown or HTML, not for a workflow", () => {
		const evil = "map[a]x|`<img src=x>`%0A::error::\r\n::set-output name=a::b,c:d\u001b[31m";
		const row = {
			...pretendedRow(FIXED),
			map_type: evil,
			made_at: { fn: "main.f`|<b>", file: "/ws/a,b:c%/x.go", line: 3 },
		};
		const bad = adviser(row).result();
		expect(adviceText(bad, 20)).not.toContain("\u001b");
		const markdown = adviceMarkdown(bad);
		const table = markdown.split("\n").filter((line) => line.startsWith("| presize"));
		expect(table.map((line) => line.split("|").length)).toEqual([6]);
		expect(markdown).not.toMatch(/<img|<b>|`/);
		const lines = githubAnnotations(bad, "/ws", ({ make_at }) => make_at.file).split("\n");
		expect(lines.length).toBe(2);
		expect(lines[0]).toStartWith("::warning file=a%2Cb%3Ac%25/x.go,line=3,title=gomapgrow%3A presize::make(map[a]x|");
		expect(lines[0]).toContain("%250A");
		expect(lines[0]).not.toContain("\r");
		expect(githubAnnotations(bad, "/elsewhere", ({ make_at }) => make_at.file)).toBe("");
	});
});

describe("a check", () => {
	const observed = (...rows: Pretended[]) => ({ sites: adviser(...rows.map(pretendedRow)).sites, observedNs: 10e9 });

	test("kept: another line number, the same function and order", () => {
		const checked = checkPromises(observed(FIXED), observed({ ...FIXED, hint: 3000, line: 17 }));
		expect(checked.map(({ verdict }) => verdict)).toEqual(["kept"]);
		expect(verdictOf(checked)).toBe("kept");
		expect(checkText(checked)).toContain("per map: growths 10 → 0, allocated 148 kB → 74 kB");
	});

	test("not kept: too small a hint", () => {
		const checked = checkPromises(observed(FIXED), observed({ ...FIXED, hint: 100 }));
		expect(verdictOf(checked)).toBe("not kept");
	});

	test("cannot be judged: other work, nothing changed, the make has gone", () => {
		const other = { ...FIXED, hint: 3000, sizes: [[3000, 700]] as const };
		expect(checkPromises(observed(FIXED), observed(other))[0]).toMatchObject({ verdict: "unclear" });
		expect(checkPromises(observed(FIXED), observed(FIXED))[0]).toMatchObject({ verdict: "unchanged" });
		expect(checkPromises(observed(FIXED), observed(TINY))[0]).toMatchObject({ verdict: "unclear" });
		expect(verdictOf(checkPromises(observed(FIXED), observed(FIXED)))).toBe("cannot judge");
		expect(verdictOf([])).toBe("cannot judge");
	});

	test("two makes of a function are told apart by their order", () => {
		const second = { ...FIXED, line: 20, sizes: [[500, 50]] as const };
		const after = observed({ ...FIXED, line: 15, hint: 3000 }, { ...second, line: 22 });
		expect(checkPromises(observed(FIXED, second), after).map(({ verdict }) => verdict)).toEqual(["kept", "unchanged"]);
	});
});
