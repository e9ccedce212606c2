import { describe, expect, test } from "bun:test";
import { GomapgrowError } from "../../../src/errors/error.ts";
import { ndjsonLine } from "../../../src/export/ndjson.ts";
import { emptyLedger } from "../../../src/records/ledger.ts";
import type { EndRecord, GrowthRecord, LossRecord } from "../../../src/records/records.ts";
import { errorText } from "../../../src/report/error-text.ts";
import { ledgerText, verdictText } from "../../../src/report/ledger-text.ts";
import { measuredTiers } from "../../../src/report/measured.ts";
import { type WindowLineInput, windowLine } from "../../../src/report/window-line.ts";
import { latencySum } from "../../../src/stats/latency.ts";

describe("errors", () => {
	test("say what was wanted, what was found and what mends it", () => {
		const error = new GomapgrowError("E-HOST-CAPS", {
			wanted: "CAP_BPF and CAP_PERFMON (or root) to attach uprobes",
			found: "a process with neither",
			mend: "sudo gomapgrow watch 4711",
		});
		expect(errorText(error)).toBe(
			"error[E-HOST-CAPS]: wanted CAP_BPF and CAP_PERFMON (or root) to attach uprobes; found a process with neither\n" +
				"  run:  sudo gomapgrow watch 4711\n",
		);
	});

	test("have no mend line when nothing mends it, and no escape sequences of the target's", () => {
		const error = new GomapgrowError("E-BIN-NOT-GO", { wanted: "a Go executable", found: 'section "\x1b[2J"' });
		expect(errorText(error)).toBe('error[E-BIN-NOT-GO]: wanted a Go executable; found section "\\x1b[2J"\n');
	});

	test("that nobody expected are internal and show no stack trace", () => {
		for (const thrown of [new TypeError("x is undefined"), "x is undefined"]) {
			const text = errorText(thrown);
			expect(text).toStartWith("error[E-INTERNAL]: x is undefined\n");
			expect(text).not.toContain(" at ");
		}
		expect(errorText(new RangeError(""))).toStartWith("error[E-INTERNAL]: RangeError\n");
	});

	test("indent the further lines of a mend", () => {
		const error = new GomapgrowError("E-IO", { wanted: "a", found: "b", mend: "one\ntwo" });
		expect(errorText(error)).toEndWith("  run:  one\n        two\n");
	});
});

describe("NDJSON", () => {
	const growth: GrowthRecord = {
		time: "2025-01-31T12:01:07.000000000Z",
		type: "growth",
		elapsed_ns: 7,
		pid: 1,
		tid: 2,
		impl: "swiss",
		fn: "f",
		kind: "split",
		cause: "load",
		map_type: 'map[string]"\n',
		map: "0x1",
		nth: 3,
		count: 896,
		capacity_before: 1024,
		capacity_after: 2048,
		stack: [],
	};

	test("is one line with the type first", () => {
		const line = ndjsonLine(growth);
		expect(line).toStartWith('{"type":"growth","time":"2025-01-31T12:01:07.000000000Z",');
		expect(line.indexOf("\n")).toBe(line.length - 1);
		expect(JSON.parse(line)).toEqual(growth);
	});

	test("leaves out what is no number", () => {
		const line = ndjsonLine({ ...growth, bytes: Number.NaN });
		expect(JSON.parse(line)).toEqual(growth);
		expect(line).not.toContain("null");
	});

	test("spells every record", () => {
		const end: EndRecord = {
			type: "end",
			time: "2025-01-31T12:01:07.000000000Z",
			elapsed_ns: 7,
			reason: "interrupt",
			growths: 0,
			work: 0,
			bytes: 0,
			calls: {},
			types: [],
			sites: [],
			latency: [],
			maps: [],
			goroutines: [],
			ledger: emptyLedger(),
			complete: true,
		};
		expect(JSON.parse(ndjsonLine(end))).toEqual(end);
	});
});

describe("the line for pipes", () => {
	const site = { fn: "example.com/store.(*Index).Add", file: "/src/index.go", line: 42, map_type: "map[string]int" };
	const input: WindowLineInput = {
		time: "2025-01-31T12:01:07.000000042Z",
		interval_ns: 1e9,
		growths: 1204,
		work: 0,
		bytes: 8_400_000,
		growths_with_bytes: 1204,
		bytes_moved: 4_200_000,
		growths_with_moved: 1204,
		latency: [
			latencySum({
				...{ fn: "runtime.hashGrow", map_type: "map[string]int", count: 100, sum_ns: 2e5, max_ns: 90_000 },
				buckets: [
					{ from_ns: 1024, count: 90 },
					{ from_ns: 65_536, count: 10 },
				],
			}),
			// Neither a call that moves entries later nor one within a growth is a growth.
			latencySum({
				...{ fn: "runtime.growWork", map_type: "map[string]int", count: 1, sum_ns: 8e9, max_ns: 8e9 },
				buckets: [{ from_ns: 2 ** 32, count: 1 }],
			}),
		],
		sites: [{ ...site, growths: 812, work: 0, bytes: 0, max_capacity: 8, duration_ns: 0 }],
		targets: [{ pid: 4711, name: "etcd" }],
		measured: { growth: true, work: true },
	};

	test("has stable fields", () => {
		expect(windowLine(input)).toBe(
			// 99 of 100 are nine tenths of the way through the upper ten, on a logarithmic scale: 65,536 × (90,000 / 65,536)^0.9 ns.
			'time=12:01:07Z target=etcd/4711 growth=1204/s work=0/s alloc=8.4MB/s moved=4.2MB/s p99=87us top="store.(*Index).Add index.go:42"\n',
		);
	});

	test("shows a dash for what was not measured, and for nothing to show", () => {
		const nothing: WindowLineInput = {
			...{
				time: input.time,
				interval_ns: 1e9,
				growths: 0,
				growths_with_bytes: 0,
				bytes_moved: 0,
				growths_with_moved: 0,
			},
			...{ sites: [], targets: [], latency: [], measured: { growth: true, work: true } },
		};
		expect(windowLine(nothing)).toBe(
			"time=12:01:07Z target=– growth=0/s work=–  alloc=– moved=0B/s p99=– top=–\n".replace("  ", " "),
		);
		const counted = { ...nothing, work: 7, measured: { growth: false, work: true } };
		expect(windowLine(counted)).toContain(" growth=– work=7/s alloc=– moved=– ");
		expect(windowLine({ ...counted, measured: { growth: false, work: false } })).toContain(" work=– ");
		// No growth told its size.
		expect(windowLine({ ...nothing, growths: 2, bytes: 0 })).toContain(" growth=2/s work=– alloc=– moved=– ");
	});

	test("marks what is an estimate, and gives no number that is too uncertain", () => {
		const work = { estimate: 12_034, low: 10_600, high: 13_400 };
		expect(windowLine({ ...input, work })).toContain(" growth=1204/s work=~12k/s alloc=8.4MB/s ");
		const growths = { estimate: 1204, low: 1100, high: 1290 };
		const bytes = { estimate: 8.4e6, low: 7e6, high: 9e6 };
		expect(windowLine({ ...input, growths, bytes })).toContain(
			" growth=~1.2k/s work=0/s alloc=~8.4MB/s moved=~4.2MB/s ",
		);
		expect(windowLine({ ...input, work: { at_least: 900 } })).toContain(" work=– ");
		expect(windowLine({ ...input, growths: { estimate: 9, low: 2, high: 40 } })).toContain(" growth=– work=0/s ");
		// A sampled period that is longer than the window.
		expect(windowLine({ ...input, work, covers_ns: 4e9 })).toContain(" work=~3k/s ");
	});

	test("names the first place of all processes", () => {
		const rows = [1, 2].map((pid) => ({ ...site, fn: "main.both", pid, growths: 3, max_capacity: 8 }));
		const sites = [{ ...site, pid: 1, growths: 5, max_capacity: 8 }, ...rows];
		expect(windowLine({ ...input, sites })).toEndWith(' top="main.both index.go:42"\n');
	});

	test("gives rates per second, whatever the window's length", () => {
		const line = windowLine({
			...input,
			interval_ns: 10e9,
			growths: 3,
			work: 5000,
			growths_with_bytes: 3,
			growths_with_moved: 3,
		});
		expect(line).toContain(" growth=0.3/s work=500/s alloc=840kB/s moved=420kB/s ");
	});

	test("keeps its fields apart and itself in one line", () => {
		const hostile = { ...site, fn: "main.x\n\x1b[2J", growths: 1, work: 0, bytes: 0, max_capacity: 8, duration_ns: 0 };
		const line = windowLine({ ...input, sites: [hostile], targets: [{ pid: 7, name: "tmux: server\n" }] });
		expect(line).toStartWith("time=12:01:07Z target=tmux:_server\\x0a/7 growth=");
		expect(line).toEndWith(' top="main.x\\\\x0a\\\\x1b[… index.go:42"\n');
		const many = windowLine({ ...input, targets: [...input.targets, { pid: 8, name: "b" }] });
		expect(many).toStartWith("time=12:01:07Z target=2-processes growth=");
	});
});

describe("the ledger in words", () => {
	const loss: LossRecord = {
		type: "loss",
		time: "2025-01-31T12:01:07.000000000Z",
		stage: "ring",
		tier: "growth",
		lost: 1,
		total: 3,
		hint: "",
	};
	const tier = (hits: number, recorded: number, sampled_out = 0, throttled = 0, lost = 0) => ({
		hits,
		recorded,
		sampled_out,
		throttled,
		lost,
	});

	test("complete", () => {
		const ledger = { growth: tier(86_688, 86_688), work: tier(10, 4, 5, 1) };
		expect(ledgerText(ledger, ["growth", "work"])).toBe(
			"ledger: growth 86,688 hits = 86,688 recorded; work 10 hits = 4 recorded + 5 sampled out + 1 throttled",
		);
		expect(ledgerText({ ...ledger, work: tier(0, 0) }, ["growth"])).toBe(
			"ledger: growth 86,688 hits = 86,688 recorded; work not measured",
		);
	});

	test("calls without a duration, by reason", () => {
		const latency = { ...tier(1_000_010, 1_000_000), unpaired: { left: 7, evicted: 3 } };
		const ledger = { growth: tier(1, 1), work: tier(0, 0), latency };
		expect(ledgerText(ledger, ["growth"])).toBe(
			"ledger: growth 1 hits = 1 recorded; work not measured; latency 1,000,010 hits = 1,000,000 recorded + 7 with no return seen + 3 forgotten",
		);
		const none = { ...ledger, latency: { ...tier(5, 5), unpaired: { left: 0, evicted: 0 } } };
		expect(ledgerText(none, ["growth", "work"])).toBe(
			"ledger: growth 1 hits = 1 recorded; work 0 hits = 0 recorded; latency 5 hits = 5 recorded",
		);
		expect(verdictText({ ...ledger, latency: { ...latency, hits: 1_000_012 } }, [])).toBe(
			"the latency ledger is off by 2: please report this",
		);
	});

	test("samples and iterations are in the verdict only", () => {
		const ledger = { growth: tier(1, 1), work: tier(9, 9), sample: tier(9, 2, 7), iteration: tier(4, 3, 0, 0, 1) };
		expect(ledgerText(ledger, ["growth", "work", "iteration"])).toBe(
			"ledger: growth 1 hits = 1 recorded; work 9 hits = 9 recorded",
		);
		expect(verdictText(ledger, [{ ...loss, tier: "iteration" }])).toBe("1 iteration events lost in the ring buffer");
		expect(verdictText({ ...ledger, iteration: tier(4, 4), sample: tier(9, 2, 6, 0, 1) }, [])).toBe(
			"1 sample events lost",
		);
	});

	test("what is on its way is not missing", () => {
		const ledger = { growth: { ...tier(10, 7), pending: 3 }, work: tier(0, 0) };
		expect(verdictText(ledger, [])).toBe("no events lost");
	});

	test("lost", () => {
		const ledger = { growth: tier(10, 7, 0, 0, 3), work: tier(5, 0, 0, 0, 5) };
		expect(verdictText(ledger, [loss, { ...loss, tier: "work", stage: "site-table" }])).toBe(
			"3 growth events lost in the ring buffer, 5 work events lost in the table of call sites",
		);
		expect(verdictText(ledger, [])).toBe("3 growth events lost, 5 work events lost");
		const growths = { growth: tier(10, 7, 0, 0, 3), work: tier(0, 0) };
		expect(verdictText(growths, [{ ...loss, stage: "unreadable" }])).toBe(
			"3 growth events lost as their maps could not be read",
		);
	});

	test("out of balance", () => {
		expect(verdictText({ growth: tier(10, 7), work: tier(0, 0) }, [])).toBe(
			"the growth ledger is off by 3: please report this",
		);
	});
});

test("what has no probe is not measured", () => {
	expect(measuredTiers([])).toEqual([]);
});
