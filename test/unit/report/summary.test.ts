import { expect, test } from "bun:test";
import { Histogram } from "../../../src/lib/histogram.ts";
import { type SummaryInput, summaryText } from "../../../src/report/summary.ts";
import { Aggregator } from "../../../src/stats/aggregator.ts";
import {
	awkwardRecording,
	awkwardState,
	busyRecording,
	busyState,
	growth,
	idleState,
	WORKLOADS,
} from "../tui/fixture.ts";
import { expectGolden } from "./golden.ts";

function inputOf(state: ReturnType<typeof busyState>, fields: Partial<SummaryInput> = {}): SummaryInput {
	return {
		elapsedNs: state.elapsedNs,
		total: new Aggregator().total(),
		ledger: state.ledger,
		measured: ["growth", "work"],
		losses: state.losses,
		...fields,
	};
}

test("a complete run", async () => {
	await expectGolden(
		"summary-busy.txt",
		summaryText(inputOf(busyState(), { total: busyRecording(72).aggregator.total() })),
	);
});

test("a run with losses, long names and control characters", async () => {
	const total = awkwardRecording().aggregator.total();
	await expectGolden("summary-awkward.txt", summaryText(inputOf(awkwardState(), { total })));
});

test("a run without growth says so", () => {
	expect(summaryText(inputOf(idleState(), { measured: ["growth"] }))).toBe(
		"3.00 s · no map has grown\nledger: growth 0 hits = 0 recorded; work not measured; complete\n",
	);
});

test("growths that were only counted are not taken for none", () => {
	expect(summaryText(inputOf(idleState(), { measured: ["work"] }))).toBe(
		"3.00 s · growths were only counted, as work calls · 0 work calls\nledger: growth not measured; work 0 hits = 0 recorded; complete\n",
	);
});

test("folded rows are said so, and numbers of distinct names become lower bounds", () => {
	const aggregator = new Aggregator({ maxRows: 2 });
	for (const { site, mapType } of WORKLOADS) aggregator.addGrowth(growth(site, mapType));
	aggregator.addWork({ pid: 1, fn: "runtime.growWork", map_type: "map[int]int", site: { fn: "main.z" }, calls: 5 });
	const text = summaryText(inputOf(busyState(0), { total: aggregator.total() }));
	expect(text).toContain("4 growths of more than 2 map types at more than 2 call sites · ");
	expect(text).toContain('note:  the table of call sites was full: 2 growths and 5 work calls counted as "(other)"\n');
	expect(text).toContain(
		"most:  map[string]*store.node at store.(*Index).Add index.go:42: 1 growth, to 65,536 slots\n",
	);
});

test("the longest chain is that of one map, and a single growth is none", () => {
	const aggregator = new Aggregator();
	const site = { fn: "main.fill", file: "/src/main.go", line: 7 };
	for (let n = 0; n < 14; n++) {
		aggregator.addGrowth(growth(site, "map[int]int", { nth: n + 1, capacity_before: 8 << n, capacity_after: 16 << n }));
	}
	for (let n = 0; n < 50; n++) aggregator.addGrowth(growth({ fn: "main.a" }, "map[int]bool", { map: `0x${n}` }));
	const text = summaryText(inputOf(busyState(0), { total: aggregator.total() }));
	expect(text).toContain("\nlongest: map[int]int grew 14 times, 8 to 131,072 slots, at main.fill main.go:7\n");
	const single = new Aggregator();
	single.addGrowth(growth(site, "map[int]int"));
	expect(summaryText(inputOf(busyState(0), { total: single.total() }))).not.toContain("longest:");
});

test("time spent growing counts no call twice and is a share of the run", () => {
	const aggregator = new Aggregator();
	// evacuate is called by growWork: its time is in it already.
	for (const [fn, sum_ns] of [
		["runtime.hashGrow", 1e9],
		["runtime.growWork_fast64", 2e9],
		["runtime.evacuate_fast64", 1.9e9],
	] as const) {
		aggregator.addLatency({ fn, map_type: "map[int]int", durations: Histogram.ofOctaves([0, 1], sum_ns, sum_ns) });
	}
	const text = summaryText(inputOf(busyState(0), { total: aggregator.total(), elapsedNs: 60e9 }));
	expect(text).toContain(" · 3.00 s spent growing (5.0 % of the time)\n");
});

test("bytes that no growth told are not shown as 0", () => {
	const aggregator = new Aggregator();
	const { bytes: _, bytes_moved: __, ...silent } = growth({ fn: "main.a" }, "map[int]int");
	aggregator.addGrowth(silent);
	expect(summaryText(inputOf(busyState(0), { total: aggregator.total(), measured: ["growth"] }))).toStartWith(
		"0 ns · 1 growth of 1 map type at 1 call site\n",
	);
});
