/** What a CPU profile says of map growth: the text and the JSON, from a real run of perf script on test/programs/demo. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { compareProfile } from "../../../src/perf-profile/compare.ts";
import { type CpuProfile, CpuProfileBuilder } from "../../../src/perf-profile/cpu-profile.ts";
import { profileJson } from "../../../src/perf-profile/json.ts";
import { PerfScriptReader } from "../../../src/perf-profile/parse-script.ts";
import { profileText } from "../../../src/perf-profile/text.ts";
import type { MergedRecordings } from "../../../src/recording/merge.ts";
import { type LatencySum, latencySum } from "../../../src/stats/latency.ts";
import { expectGolden } from "../report/golden.ts";

function read(text: string): CpuProfile {
	const builder = new CpuProfileBuilder(() => undefined);
	const reader = new PerfScriptReader((sample) => builder.add(sample));
	for (const line of text.split("\n")) reader.line(line);
	reader.end();
	expect(reader.malformed).toEqual({ count: 0 });
	const profile = builder.result();
	if (profile === undefined) throw new Error("no samples");
	return profile;
}

const profile = read(readFileSync(new URL("../../golden/perf-script.txt", import.meta.url), "utf8"));
const options = { columns: Number.POSITIVE_INFINITY, rows: 20, notes: [] };

function latency(fn: string, count: number, ns: number): LatencySum {
	const from_ns = 2 ** Math.floor(Math.log2(ns));
	const row = { count, sum_ns: count * ns, max_ns: 2 * ns, buckets: [{ from_ns, count }] };
	return latencySum({ fn, map_type: "map[int]int", ...row });
}

/** Of the sums only what is compared. */
const recording = {
	elapsedNs: 4_100_000_000,
	sums: {
		calls: {
			"runtime.hashGrow": 2982,
			"runtime.growWork_faststr": { estimate: 8000, low: 7000, high: 9000 },
			"runtime.evacuate_faststr": 6232,
			"runtime.growWork": 0,
		},
		latency: [
			latency("runtime.hashGrow", 2982, 7000),
			latency("runtime.growWork_faststr", 4000, 5000),
			latency("runtime.evacuate_faststr", 6232, 3000),
		],
		sites: [{ fn: "main.(*sessionStore).open" }, { fn: "main.countBatch" }],
	},
} as unknown as MergedRecordings;

describe("a profile", () => {
	test("as text", () => expectGolden("profile.txt", profileText(profile, undefined, options)));

	test("beside a recording", () => {
		const notes = ["run.ndjson: its end is missing"];
		return expectGolden(
			"profile-compared.txt",
			profileText(profile, compareProfile(profile, recording), { ...options, notes }),
		);
	});

	test("without a single growth", () => {
		const text = profileText(
			read("a 1 1.0: 1 cycles: \n\t 1 main.f+0x1 (/x)\n\t 1 main.g+0x1 (/x)\n\n"),
			undefined,
			options,
		);
		expect(text).toBe(
			"perf  a: 1 sample of 1 thread in 0 ns, event cycles\nmap growth  0 %: 0 samples\nother map code  0 %: 0 samples\n",
		);
	});

	test("as JSON", () => {
		const object = JSON.parse(profileJson(profile, compareProfile(profile, recording), ["a note"]));
		expect(object.missing).toEqual(["a note"]);
		expect(object.perf.total).toEqual({ samples: 53, cpu_ns: 53 * 250_000, share: 1 });
		expect(object.perf.growth.share).toBeCloseTo(object.perf.growth.samples / 53, 10);
		expect(object.recording).toMatchObject({
			elapsed_ns: 4_100_000_000,
			growing_ns: 2982 * 7000 + 8000 * 5000,
			lengths_differ: false,
		});
		expect(object.recording.functions[0]).toMatchObject({
			...{ fn: "runtime.growWork_faststr", calls: { estimate: 8000, low: 7000, high: 9000 }, recorded_ns: 40_000_000 },
			p50_ns: expect.any(Number),
		});
	});

	test("text of others cannot act on a terminal", () => {
		const evil = read(
			"a\u001b[31m 1 1.0: 1 cycles\u001b[0m: \n\t 1 runtime.hashGrow+0x1 (/x)\n\t 1 main.\u001b[2Jf+0x1 (/x)\n\n",
		);
		for (const text of [profileText(evil, undefined, options), profileJson(evil, undefined, [])]) {
			expect(text).not.toContain("\u001b");
		}
	});
});

describe("the comparison", () => {
	test("of times: what was not measured is taken to be as what was", () => {
		const { functions, oursNs, callers, unknownCallers } = compareProfile(profile, recording);
		const of = (fn: string) => functions.find((row) => row.fn === fn);
		// Evacuation is part of growWork.
		expect(oursNs).toBe(2982 * 7000 + 8000 * 5000);
		expect(of("runtime.growWork_faststr")).toMatchObject({
			calls: { estimate: 8000 },
			oursNs: 40_000_000,
			inner: false,
		});
		expect(of("runtime.evacuate_faststr")).toMatchObject({ inner: true });
		const grow = profile.functions.find(({ fn }) => fn === "runtime.hashGrow");
		expect(of("runtime.hashGrow")?.perfPerCallNs).toBeCloseTo(
			(((grow?.weight ?? 0) / 2982) * 4_100_000_000) / (profile.spanNs ?? 0),
			5,
		);
		expect(callers).toBe(profile.callers.length);
		expect(unknownCallers).not.toContain("main.countBatch");
	});

	test("of recordings without durations, and of another length", () => {
		const short = { elapsedNs: 1e9, sums: { ...recording.sums, latency: [] } } as unknown as MergedRecordings;
		const comparison = compareProfile(profile, short);
		expect(comparison.oursNs).toBeUndefined();
		expect(comparison.lengthsDiffer).toBe(true);
		const text = profileText(profile, comparison, options);
		expect(text).toContain("recording not measured, perf ");
		expect(text).toContain("not of the same time: perf's samples span ");
	});
});
