import { expect, test } from "bun:test";
import { type SummaryInput, summaryText } from "../../../src/report/summary.ts";
import { Aggregator } from "../../../src/stats/aggregator.ts";
import { grow, workCalls } from "../stats/counted.ts";
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
		"3.00 s · no map has grown\nmeasured: growths exact · growth work not measured · no events lost\nledger: growth 0 hits = 0 recorded; work not measured\n",
	);
});

test("growths that were only counted are not taken for none", () => {
	expect(summaryText(inputOf(idleState(), { measured: ["work"] }))).toBe(
		"3.00 s · growths were only counted, as growth work · 0 growth work calls\nmeasured: growths not measured · growth work exact · no events lost\nledger: growth not measured; work 0 hits = 0 recorded\n",
	);
});

test("folded rows are said so, and numbers of distinct names become lower bounds", () => {
	const aggregator = new Aggregator({ maxRows: 2 });
	for (const { site, mapType } of WORKLOADS) grow(aggregator, growth(site, mapType));
	const site = { fn: "main.z" };
	aggregator.addCalls(workCalls({ pid: 1, fn: "runtime.growWork", map_type: "map[int]int", site, calls: 5 }));
	const text = summaryText(inputOf(busyState(0), { total: aggregator.total() }));
	expect(text).toContain("4 growths of more than 2 map types at more than 2 call sites · ");
	expect(text).toContain(
		'note:  the table of call sites was full: 2 growths and 5 growth work calls counted as "(other)"\n',
	);
	expect(text).toContain(
		"top call site: map[string]*store.node at store.(*Index).Add index.go:42: 1 growth, to 65,536 slots\n",
	);
});

test("the longest chain is that of one map, and a single growth is none", () => {
	const aggregator = new Aggregator();
	const site = { fn: "main.fill", file: "/src/main.go", line: 7 };
	for (let n = 0; n < 14; n++) {
		grow(aggregator, growth(site, "map[int]int", { nth: n + 1, capacity_before: 8 << n, capacity_after: 16 << n }));
	}
	for (let n = 0; n < 50; n++) grow(aggregator, growth({ fn: "main.a" }, "map[int]bool", { map: `0x${n}` }));
	const text = summaryText(inputOf(busyState(0), { total: aggregator.total() }));
	expect(text).toContain(
		"\nmap that grew most: map[int]int grew 14 times, 8 to 131,072 slots, at main.fill main.go:7\n",
	);
	const single = new Aggregator();
	grow(single, growth(site, "map[int]int"));
	expect(summaryText(inputOf(busyState(0), { total: single.total() }))).not.toContain("map that grew most");
});

test("time in growth is a part of the processor time where that is known, else per second", () => {
	const aggregator = new Aggregator();
	grow(aggregator, growth({ fn: "main.a" }, "map[int]int", { duration_ns: 3e9 }));
	const total = aggregator.total();
	const of = (fields: Partial<SummaryInput>) =>
		summaryText(inputOf(busyState(0), { total, elapsedNs: 60e9, ...fields }));
	expect(of({})).toContain(" · time in growth 50 ms/s\n");
	const overhead = { last: { pid: 1, overhead: 0.01 }, mostShare: 0.01, targetCpuNs: 30e9 };
	expect(of({ overhead })).toContain(" · time in growth 10 % of the processor time used\n");
	const work = { estimate: 100, low: 88, high: 112 };
	expect(of({ overhead, total: { ...total, work } })).toContain(" · time in growth ~10 % ±12 % of the processor");
	const { time_ns: _, ...untimed } = total;
	expect(of({ total: untimed })).not.toContain("time in growth");
});

const SAMPLED = { estimate: 1_234_567, low: 1_100_000, high: 1_382_000 };
const ROW = { pid: 1, overhead: 0.003, cost_ns_per_second: 3e6, budget: 0.01, limit_ns_per_second: 10e6 };

test("one line says what is exact, what is an estimate, what would change it, and what it costs", () => {
	const { total } = busyRecording(1).aggregator.view();
	const input = inputOf(busyState(1), { total: { ...new Aggregator().total(), ...total } });
	const line = (fields: Partial<SummaryInput["total"]>, more: Partial<SummaryInput> = {}) =>
		/^measured: .*$/m.exec(summaryText({ ...input, total: { ...input.total, ...fields }, ...more }))?.[0];
	const overhead = { last: { ...ROW, work_probed: 0.1 }, mostShare: 0.003, costNsPerSecond: 2.94e6 };
	expect(line({ work: SAMPLED }, { overhead })).toBe(
		"measured: growths exact · growth work sampled, ±12 % · --budget 5% measures all · no events lost · overhead 2.9 ms/s (limit 10 ms/s)",
	);
	expect(line({}, { overhead })).toBe(
		"measured: growths, growth work exact · no events lost · overhead 2.9 ms/s (limit 10 ms/s)",
	);
	expect(line({ work: { at_least: 7 } })).toBe(
		"measured: growths exact · growth work sampled, too little seen for an estimate · no events lost",
	);
	const { work: _, ...unmeasured } = input.total;
	expect(line({}, { total: unmeasured })).toContain("growths exact · growth work not measured · no events lost");
	expect(line({}, { tiers: { growth: "all", work: "none", latency: "all" } })).toContain("growth work not measured");
	const ledger = { ...input.ledger, growth: { hits: 100, recorded: 12, sampled_out: 88, throttled: 0, lost: 0 } };
	expect(line({}, { ledger: { work: ledger.growth, ...ledger } })).toContain(
		"growths exact, 12 % recorded · growth work exact",
	);
});

test("estimates are marked, with their width; what is only known from below says so", () => {
	const total = { ...busyRecording(1).aggregator.total(), growths: SAMPLED, work: { at_least: 9876 } };
	const text = summaryText(inputOf(busyState(1), { total }));
	expect(text).toContain("s · ~1.2M growths ±12 % of 4 map types at 4 call sites · ");
	expect(text).toContain(" · at least 9,876 growth work calls");
	expect(text).toMatch(/map that grew most: .* grew at least \d+ times/);
	const few = summaryText(inputOf(busyState(1), { total: { ...total, growths: { at_least: 0 } } }));
	expect(few).toContain(" · no growth seen in the part of the time that was measured");
	const { growths: _, ...unmeasured } = total;
	expect(summaryText(inputOf(busyState(1), { total: unmeasured }))).toContain("s · growths were not measured · ");
});

test("bytes that no growth told are not shown as 0", () => {
	const aggregator = new Aggregator();
	const { bytes: _, bytes_moved: __, ...silent } = growth({ fn: "main.a" }, "map[int]int");
	grow(aggregator, silent);
	expect(summaryText(inputOf(busyState(0), { total: aggregator.total(), measured: ["growth"] }))).toStartWith(
		"0 ns · 1 growth of 1 map type at 1 call site\n",
	);
});
