/** The text of perf script, in the forms that its versions and options give it. */
import { describe, expect, test } from "bun:test";
import { type PerfSample, PerfScriptReader } from "../../../src/perf-profile/parse-script.ts";

function read(text: string): { samples: PerfSample[]; malformed: { count: number; first?: string } } {
	const samples: PerfSample[] = [];
	const reader = new PerfScriptReader((sample) => samples.push(sample));
	for (const line of text.split("\n")) reader.line(line);
	reader.end();
	return { samples, malformed: reader.malformed };
}

const FRAMES = `
	            fb94 runtime.evacuate_faststr+0x314 (/usr/bin/shopd)
	           a958b main.(*sessionStore).open+0x18b (/usr/bin/shopd)
`.slice(1);

describe("a sample", () => {
	test("with its stack", () => {
		const { samples, malformed } = read(`shopd 21896 15188.406924:     250000 cpu-clock:u: \n${FRAMES}\n`);
		expect(malformed).toEqual({ count: 0 });
		expect(samples).toEqual([
			{
				...{ comm: "shopd", tid: 21896, time: 15188.406924, event: "cpu-clock:u", period: 250000 },
				frames: [
					{ address: 0xfb94, fn: "runtime.evacuate_faststr", offset: 0x314, dso: "/usr/bin/shopd" },
					{ address: 0xa958b, fn: "main.(*sessionStore).open", offset: 0x18b, dso: "/usr/bin/shopd" },
				],
			},
		]);
	});

	test.each<[string, Partial<PerfSample>]>([
		["shopd 21896/21899 15188.4:     250000 cpu-clock:u: ", { comm: "shopd", tid: 21899 }],
		["shopd 21896 [001] 15188.4:     250000 cpu-clock:u: ", { tid: 21896, time: 15188.4 }],
		["Web Content 7 15188.4: 1 cycles: ", { comm: "Web Content", tid: 7, event: "cycles", period: 1 }],
		["pool 3 worker 7 15188.4: 1 cycles:u: ", { comm: "pool 3 worker", tid: 7, event: "cycles:u" }],
		[":21907 21907 15188.4: 250000 cpu-clock:u: ", { comm: ":21907", tid: 21907 }],
		["shopd 7 15188.4: cpu-clock:u: ", { event: "cpu-clock:u" }],
		["shopd 7 cpu-clock:u: ", { tid: 7, event: "cpu-clock:u" }],
		["shopd 7 15188.4: 12 cpu_core/cycles/u: ", { event: "cpu_core/cycles/u", period: 12 }],
		["shopd -1 15188.4: 12 cycles:P: ", { tid: -1, event: "cycles:P" }],
	])("%j", (head, expected) => {
		const { samples, malformed } = read(`${head}\n${FRAMES}\n`);
		expect(malformed.count).toBe(0);
		expect(samples).toHaveLength(1);
		expect(samples[0]).toMatchObject(expected);
		expect(samples[0]?.frames).toHaveLength(2);
	});

	test("without -g, on one line", () => {
		const line = (tid: number) =>
			`           shopd ${tid} 15188.4:     250000 cpu-clock:u:            fb94 runtime.evacuate+0x3 (/usr/bin/shopd)\n`;
		const { samples, malformed } = read(line(1) + line(2));
		expect(malformed.count).toBe(0);
		expect(samples.map(({ comm, tid, frames }) => [comm, tid, frames.length])).toEqual([
			["shopd", 1, 1],
			["shopd", 2, 1],
		]);
	});
});

describe("a frame", () => {
	test.each([
		["a9d45 [unknown] (/usr/bin/shopd)", { address: 0xa9d45, dso: "/usr/bin/shopd" }],
		["7a1 [unknown] ([vdso])", { address: 0x7a1, dso: "[vdso]" }],
		["0 [unknown] ([unknown])", { address: 0, dso: "[unknown]" }],
		["fb94 main.addLabel (inlined)", { address: 0xfb94, fn: "main.addLabel" }],
		["fb94 main.f+0x1 (/srv/a (b)/shopd (deleted))", { fn: "main.f", offset: 1, dso: "/srv/a (b)/shopd (deleted)" }],
		[
			"fb94 main.Map[go.shape.func(int) (string, error)].Put+0xf (/usr/bin/shopd)",
			{ offset: 0xf, dso: "/usr/bin/shopd" },
		],
		["ffffffff8100 do_syscall_64+0x3 ([kernel.kallsyms])", { fn: "do_syscall_64", dso: "[kernel.kallsyms]" }],
		["fb94 main.f", { fn: "main.f" }],
	])("%j", (line, expected) => {
		const { samples, malformed } = read(`a 1 1.0: 1 cpu-clock:u: \n\t ${line}\n\n`);
		expect(malformed.count).toBe(0);
		expect(samples[0]?.frames).toEqual([expect.objectContaining(expected)]);
	});

	test("has its source line below", () => {
		const { samples } = read(
			"a 1 1.0: 1 cpu-clock:u: \n\t fb94 main.f+0x1 (/usr/bin/shopd)\n  map_faststr.go:476\n\t fb95 main.g+0x1 (/x)\n\n",
		);
		expect(samples[0]?.frames.map(({ fn, file, line }) => [fn, file, line])).toEqual([
			["main.f", "map_faststr.go", 476],
			["main.g", undefined, undefined],
		]);
	});
});

describe("what is no sample", () => {
	test("headers and events of processes are passed over", () => {
		const { samples, malformed } = read(
			"# ========\n# captured on    : Tue\nshopd 7 1.0: PERF_RECORD_MMAP2 7/7: [0x400000(0x1000) @ 0 fe:00 1 1]: r-xp /usr/bin/shopd\n",
		);
		expect([samples, malformed]).toEqual([[], { count: 0 }]);
	});

	test("is counted, and what is around it is read", () => {
		const head = "shopd 1 1.0: 1 cpu-clock:u: ";
		const text = [
			"nonsense",
			head,
			"\t fb94 main.f+0x1 (/x)",
			"\t not a frame at all",
			"\t fb95 main.g+0x1 (/x)",
			"",
			"\t fb94 main.lost+0x1 (/x)",
			"{}",
			head,
			"",
		].join("\n");
		const { samples, malformed } = read(text);
		expect(malformed).toEqual({ count: 4, first: "line 1" });
		expect(samples.map(({ frames }) => frames.map(({ fn }) => fn))).toEqual([["main.f", "main.g"], []]);
	});

	test("hostile lines neither take long nor much", () => {
		const before = performance.now();
		const { samples, malformed } = read(
			[
				" ".repeat(65_000),
				`${"a ".repeat(32_000)}1`,
				`${"1 ".repeat(32_000)}`,
				`a 1 ${"1 ".repeat(30_000)}`,
				"x".repeat(1 << 20),
				`a 1 1.0: 1 cpu-clock:u: \n${"\t fb94 main.f+0x1 (/x)\n".repeat(5000)}`,
			].join("\n"),
		);
		expect(malformed.count).toBe(5);
		expect(samples.map(({ frames }) => frames.length)).toEqual([1024]);
		// Milliseconds; a pattern that goes through all ways to match would take minutes.
		expect(performance.now() - before).toBeLessThan(20_000);
	});
});
