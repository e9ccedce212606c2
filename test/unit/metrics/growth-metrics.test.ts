import { describe, expect, test } from "bun:test";
import { exposition, formatAsked } from "../../../src/metrics/exposition.ts";
import type { Family } from "../../../src/metrics/family.ts";
import { GrowthMetrics, KEPT_MS } from "../../../src/metrics/growth-metrics.ts";
import { targetLabels } from "../../../src/metrics/target-series.ts";
import type {
	ExitRecord,
	GomapgrowRecord,
	GrowthRecord,
	TargetRecord,
	WindowRecord,
} from "../../../src/records/records.ts";
import { syntheticRecording } from "../../support/synthetic-recording.ts";
import { EXAMPLES } from "../records/example-records.ts";

const example = <T extends GomapgrowRecord["type"]>(type: T) =>
	EXAMPLES.find((record) => record.type === type) as Extract<GomapgrowRecord, { type: T }>;

function metricsOf(options: { maxSites?: number; maxSeries?: number } = {}): GrowthMetrics {
	return new GrowthMetrics({
		maxSites: 50,
		maxSeries: 10_000,
		...options,
		labelsOf: ({ name }) => targetLabels(name, undefined),
	});
}

function target(pid: number, name: string): TargetRecord {
	return { ...example("target"), pid, name };
}

/** A window in which these sites of a process grew so often. */
function window(pid: number, sites: Record<string, number>): WindowRecord {
	const growths = Object.values(sites).reduce((sum, count) => sum + count, 0);
	const row = { pid, map_type: "map[int]int", max_capacity: 16, bytes: 100 };
	return {
		...example("window"),
		growths,
		sites: Object.entries(sites).map(([fn, count]) => ({ ...row, fn, growths: count })),
	};
}

function growth(pid: number, fn: string, kind: GrowthRecord["kind"]): GrowthRecord {
	const { weight: _, ...one } = example("growth");
	const cause = kind === "same-size" ? "overflow" : "load";
	return {
		...one,
		pid,
		kind,
		cause,
		map_type: "map[int]int",
		stack: [{ fn: "runtime.hashGrow" }, { fn }],
		duration_ns: 1024,
	};
}

const exit = (pid: number): ExitRecord => ({ type: "exit", time: example("end").time, elapsed_ns: 1, pid });

function valuesOf(metrics: GrowthMetrics, name: string): Record<string, number> {
	const family = metrics.families().find((each) => each.name === name) as Exclude<Family, { type: "histogram" }>;
	const values: Record<string, number> = {};
	for (const { labels, value } of family.points) {
		const key = [labels.target, labels.site, labels.kind].filter((label) => label !== undefined).join(" ");
		values[key] = (values[key] ?? 0) + value;
	}
	return values;
}

const sumOf = (values: Record<string, number>) => Object.values(values).reduce((sum, value) => sum + value, 0);

describe("counters", () => {
	test("rows have the count, records the kinds; the sum over kinds is the count", () => {
		const metrics = metricsOf();
		metrics.add(target(1, "shop"), 0);
		for (const kind of ["double", "double", "same-size"] as const) metrics.add(growth(1, "main.put", kind), 0);
		metrics.add(window(1, { "main.put": 3, "main.quiet": 2 }), 0);
		expect(valuesOf(metrics, "gomapgrow_growths")).toEqual({
			"shop main.put double": 2,
			"shop main.put same-size": 1,
			"shop main.quiet unknown": 2,
		});
		// Records were sampled: what was counted is shared out as they are.
		metrics.add(growth(1, "main.put", "double"), 0);
		metrics.add(window(1, { "main.put": 100 }), 0);
		expect(valuesOf(metrics, "gomapgrow_growths")["shop main.put double"]).toBe(102);
	});

	test("those of a whole recording are its end record's", () => {
		const { lines, end } = syntheticRecording({ windows: 7, growthsPerWindow: 501 });
		const metrics = metricsOf({ maxSites: 1000 });
		for (const line of lines) metrics.add(JSON.parse(line), 0);
		expect(sumOf(valuesOf(metrics, "gomapgrow_growths"))).toBe(end.growths);
		expect(sumOf(valuesOf(metrics, "gomapgrow_growth_allocated_bytes"))).toBe(end.bytes);
		const durations = metrics.families().find(({ type }) => type === "histogram") as Extract<
			Family,
			{ type: "histogram" }
		>;
		expect(durations.points[0]?.count).toBe(end.growths);
	});

	test("never go back while a process of the target lives, and go ten minutes after the last one", () => {
		const metrics = metricsOf();
		metrics.add(target(1, "shop"), 0);
		metrics.add(target(2, "shop"), 0);
		metrics.add(exit(1), 1000);
		// Its last growths are counted in the window after its end.
		metrics.add(window(1, { "main.put": 5 }), 1500);
		metrics.expire(1000 + KEPT_MS);
		expect(valuesOf(metrics, "gomapgrow_growths")).toEqual({ "shop main.put unknown": 5 });
		metrics.add(window(2, { "main.put": 4 }), 2000);
		metrics.add(exit(2), 3000);
		metrics.expire(3000 + KEPT_MS - 1);
		expect(valuesOf(metrics, "gomapgrow_growths")).toEqual({ "shop main.put unknown": 9 });
		metrics.expire(3000 + KEPT_MS);
		expect(valuesOf(metrics, "gomapgrow_growths")).toEqual({});
		expect(metrics.pids).toEqual([]);
	});

	test("sites and targets beyond the limits go to other, and none that exists is demoted", () => {
		const metrics = metricsOf({ maxSites: 2 });
		metrics.add(target(1, "shop"), 0);
		for (let round = 0; round < 3; round++) {
			metrics.add(window(1, { "main.a": 1, "main.b": 1, "main.c": 1, "main.d": 1 }), 0);
		}
		expect(valuesOf(metrics, "gomapgrow_growths")).toEqual({
			"shop main.a unknown": 3,
			"shop main.b unknown": 3,
			"shop other unknown": 6,
		});
		expect(sumOf(valuesOf(metrics, "gomapgrow_series_dropped"))).toBeGreaterThan(0);
	});

	test("a year of a hundred new pods a day takes no more series than live", () => {
		const metrics = metricsOf({ maxSeries: 1000 });
		for (let day = 0; day < 365; day++) {
			for (let pod = 0; pod < 100; pod++) {
				const pid = (day * 100 + pod) % 30_000;
				const now = (day * 86_400 + pod * 864) * 1000;
				metrics.add(target(pid, `pod-${day}-${pod}`), now);
				metrics.add(window(pid, { "main.put": 1 }), now);
				metrics.add(exit(pid), now + 1000);
				metrics.expire(now + KEPT_MS + 1000);
			}
		}
		expect(sumOf(valuesOf(metrics, "gomapgrow_series_dropped"))).toBe(0);
		expect(Object.keys(valuesOf(metrics, "gomapgrow_growths")).length).toBeLessThan(10);
	});
});

describe("text", () => {
	const families: Family[] = [
		{ name: "a", type: "counter", help: 'of "a"\n\\', points: [{ labels: { x: 'q"\\\n' }, value: 1.5 }] },
		{ name: "b", type: "info", help: "b", points: [{ labels: { v: "1" }, value: 1 }] },
		{
			...{ name: "c_seconds", type: "histogram", unit: "seconds", help: "c" },
			points: [{ labels: {}, buckets: [{ le: 1, count: 2 }], sum: 9, count: 3 }],
		},
		{ name: "none", type: "gauge", help: "none", points: [] },
	];

	test("of Prometheus, 0.0.4", () => {
		expect(exposition(families, "prometheus")).toBe(
			[
				...['# HELP a_total of "a"\\n\\\\', "# TYPE a_total counter", 'a_total{x="q\\"\\\\\\n"} 1.5'],
				...[
					"# HELP b_info b",
					"# TYPE b_info gauge",
					'b_info{v="1"} 1',
					"# HELP c_seconds c",
					"# TYPE c_seconds histogram",
				],
				...['c_seconds_bucket{le="1"} 2', 'c_seconds_bucket{le="+Inf"} 3', "c_seconds_sum 9", "c_seconds_count 3", ""],
			].join("\n"),
		);
	});

	test("of OpenMetrics: families without suffixes, units, an end", () => {
		const text = exposition(families, "openmetrics");
		expect(text).toContain("# TYPE a counter\na_total{");
		expect(text).toContain('# TYPE b info\nb_info{v="1"} 1\n');
		expect(text).toContain('# UNIT c_seconds seconds\nc_seconds_bucket{le="1.0"} 2\n');
		expect(text).toEndWith("\n# EOF\n");
	});

	test("by what the scraper accepts", () => {
		const prometheus =
			"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
		expect(formatAsked(prometheus)).toBe("openmetrics");
		for (const accept of [undefined, "", "*/*", "text/html", "text/plain;q=0.9,application/openmetrics-text;q=0.1"]) {
			expect(formatAsked(accept)).toBe("prometheus");
		}
	});
});
