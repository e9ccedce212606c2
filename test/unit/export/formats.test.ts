import { describe, expect, test } from "bun:test";
import { BenchFormat } from "../../../src/export/bench-format.ts";
import { SpeedscopeBuilder } from "../../../src/export/speedscope.ts";
import type { GomapgrowRecord, WindowRecord } from "../../../src/records/records.ts";
import { syntheticRecording } from "../../support/synthetic-recording.ts";

const { lines, end, records } = syntheticRecording({ windows: 8, growthsPerWindow: 200 });
const parsed = lines.map((line) => JSON.parse(line) as GomapgrowRecord);
const windows = parsed.filter((record): record is WindowRecord => record.type === "window");

/** As golang.org/x/perf/benchfmt reads them: a name, iterations, then pairs of value and unit. */
function benchLines(text: string): { name: string; values: Record<string, number> }[] {
	return text.split("\n").flatMap((line) => {
		const [name = "", iterations, ...pairs] = line.split(" ");
		if (!/^Benchmark\p{Lu}/u.test(name)) return [];
		expect(iterations).toMatch(/^\d+$/);
		expect(pairs.length % 2).toBe(0);
		const values = Object.fromEntries(
			pairs.flatMap((unit, index) => (index % 2 === 1 ? [[unit, Number(pairs[index - 1])]] : [])),
		);
		return [{ name, values }];
	});
}

describe("the benchmark format", () => {
	const bench = new BenchFormat();
	for (const record of parsed) bench.add(record);
	const text = bench.text({ arch: "amd64" });

	test("has a line of each site for each window, and all of them", () => {
		const all = benchLines(text);
		const total = all.filter(({ name }) => name === "BenchmarkMaps/site=all");
		expect(total.map(({ values }) => values["growths/s"])).toEqual(windows.map(({ growths }) => growths as number));
		const sites = all.filter(({ name }) => name !== "BenchmarkMaps/site=all");
		expect(sites.reduce((sum, { values }) => sum + (values["growths/s"] ?? 0), 0)).toBe(end.growths);
		expect(sites.reduce((sum, { values }) => sum + (values["allocated-B/s"] ?? 0), 0)).toBe(end.bytes);
		const byName = new Map<string, number>();
		for (const { name } of all) byName.set(name, (byName.get(name) ?? 0) + 1);
		expect([...new Set(byName.values())]).toEqual([windows.length]);
	});

	test("has no line numbers and no blanks in names, and nothing that differs between versions", () => {
		expect(text).not.toMatch(/\.go:\d/);
		expect(text).not.toContain("version");
		expect(text).toStartWith("goos: linux\ngoarch: amd64\n");
		expect(text).toContain("site=store.(*Index[…]).Add/type=map[string]*store.node ");
	});

	test("leaves out what was not measured and windows that are cut short", () => {
		const [first] = windows;
		if (first === undefined) throw new Error("no window");
		const other = new BenchFormat();
		other.add(first);
		const { growths: _, ...unmeasured } = first;
		other.add({ ...unmeasured, sites: [] });
		other.add({ ...first, interval_ns: 1e8 });
		other.add({ ...first, growths: { at_least: 4 }, sites: [] });
		expect(benchLines(other.text(undefined)).filter(({ name }) => name === "BenchmarkMaps/site=all")).toHaveLength(1);
	});
});

describe("the speedscope file", () => {
	const builder = new SpeedscopeBuilder();
	builder.addProcess(4711, "shop");
	for (const record of records) if (record.type === "growth") builder.add(record);
	const file = JSON.parse(builder.text("shop")) as {
		shared: { frames: { name: string }[] };
		profiles: { name: string; unit: string; endValue: number; samples: number[][]; weights: number[] }[];
	};

	test("has all metrics, each with its sum", () => {
		expect(file.profiles.map(({ name, unit }) => `${name} ${unit}`)).toEqual([
			...["growths none", "bytes allocated bytes", "bytes copied bytes", "elapsed time nanoseconds"],
		]);
		expect(file.profiles[0]?.endValue).toBe(end.growths);
		expect(file.profiles[1]?.endValue).toBe(end.bytes);
	});

	test("has every frame of a stack, inlined ones too, outermost first", () => {
		for (const { samples, weights } of file.profiles) {
			expect(samples).toHaveLength(weights.length);
			for (const sample of samples) for (const index of sample) expect(file.shared.frames[index]).toBeDefined();
		}
		const names =
			file.profiles[0]?.samples.map((sample) => sample.map((index) => file.shared.frames[index]?.name)) ?? [];
		const inlined = names.find((stack) => stack.includes("net/textproto.MIMEHeader.Set"));
		expect(inlined?.[0]).toBe("shop 4711");
		expect(inlined?.at(-1)).toStartWith("map[");
		expect(inlined?.at(-2)).toBe("runtime.hashGrow");
	});
});
