import { Histogram } from "../../../src/lib/histogram.ts";
import { amountOf } from "../../../src/records/figure.ts";
import type {
	Frame,
	GrowthRecord,
	Ledger,
	LossRecord,
	OverlapRecord,
	ProbeInfo,
	TargetRecord,
} from "../../../src/records/records.ts";
import { Aggregator, type AggregatorOptions } from "../../../src/stats/aggregator.ts";
import type { LatencySum } from "../../../src/stats/latency.ts";
import type { ScreenState } from "../../../src/tui/screen.ts";
import { Tables } from "../../../src/tui/table-rows.ts";
import { grow, type WorkCount, workCalls } from "../stats/counted.ts";

/** A ledger in which every hit was recorded. */
export function recordedLedger(growth: number, work: number): Ledger {
	return {
		growth: { hits: growth, recorded: growth, sampled_out: 0, throttled: 0, lost: 0 },
		work: { hits: work, recorded: work, sampled_out: 0, throttled: 0, lost: 0 },
	};
}

/** The same with durations and one call of 64 sampled. */
export function measuredLedger(growth: number, work: number): Ledger {
	const recorded = Math.floor(work / 64);
	return {
		...recordedLedger(growth, work),
		sample: { hits: work, recorded, sampled_out: work - recorded, throttled: 0, lost: 0 },
		latency: { hits: growth + work, recorded: growth + work, sampled_out: 0, throttled: 0, lost: 0 },
	};
}

export function probe(fn: string, tier: ProbeInfo["tier"], cost: ProbeInfo["cost"] = "emulated"): ProbeInfo {
	return { fn, tier, address: "0x40f126", file_offset: 61734, instruction: "jbe +0x10", cost };
}

const VARIANTS = ["", "_fast32", "_fast64", "_faststr"];

export function target(fields: Partial<TargetRecord> = {}): TargetRecord {
	return {
		type: "target",
		time: "2025-01-31T12:00:00.000000000Z",
		pid: 4711,
		name: "etcd",
		exe: "/usr/bin/etcd",
		go_version: "go1.23.5",
		map_impl: "classic",
		arch: "x86-64",
		pie: false,
		stripped: true,
		probes: [
			probe("runtime.hashGrow", "growth"),
			...VARIANTS.map((variant) => probe(`runtime.growWork${variant}`, "work")),
			...VARIANTS.map((variant) => probe(`runtime.evacuate${variant}`, "work")),
		],
		not_probed: [],
		...fields,
	};
}

const MAP_FRAME: Frame = {
	fn: "runtime.mapassign_faststr",
	file: "/usr/lib/go/src/runtime/map_faststr.go",
	line: 231,
};

export function growth(site: Frame, mapType: string, fields: Partial<GrowthRecord> = {}): GrowthRecord {
	return {
		type: "growth",
		time: "2025-01-31T12:01:07.000000000Z",
		elapsed_ns: 67e9,
		pid: 4711,
		tid: 4713,
		goid: 812,
		impl: "classic",
		fn: "runtime.hashGrow",
		kind: "double",
		cause: "load",
		map_type: mapType,
		map: "0x9e3779b9",
		nth: 1,
		count: 53_248,
		capacity_before: 32_768,
		capacity_after: 65_536,
		bytes: 4096,
		bytes_moved: 2048,
		iterating: false,
		stack: [MAP_FRAME, site],
		...fields,
	};
}

/** What an observation adds up while it runs. */
export class Recording {
	readonly aggregator: Aggregator;

	constructor(options: AggregatorOptions = {}) {
		this.aggregator = new Aggregator({ details: true, ...options });
	}

	growth(record: GrowthRecord): void {
		grow(this.aggregator, record);
	}

	work(count: WorkCount): void {
		this.aggregator.addCalls(workCalls(count));
	}

	latency(count: LatencySum): void {
		this.aggregator.addLatency(count);
	}

	overlap(record: OverlapRecord): void {
		this.aggregator.addOverlap(record);
	}

	close(intervalNs = 1e9): void {
		this.aggregator.closeWindow(intervalNs);
	}

	state(fields: Partial<ScreenState> & { all?: TargetRecord[]; endedPids?: number[] } = {}): ScreenState {
		const { all, endedPids, ...rest } = fields;
		const view = this.aggregator.view();
		const targets = rest.targets ?? [target()];
		const ledger = rest.ledger ?? recordedLedger(amountOf(view.total.growths), amountOf(view.total.work));
		const ended = new Set(endedPids);
		return {
			...{ targets, ended: false, elapsedNs: 0, view, ledger, losses: [], overhead: [], keys: true },
			tables: new Tables({ view, ledger, targets: all ?? targets, ended, heaps: rest.heaps }),
			...rest,
		};
	}
}

interface Workload {
	site: Frame;
	/** Frames further out. */
	callers: Frame[];
	mapType: string;
	perWindow: number;
	work: number;
	bytes: number;
	goid: number;
	/** Of a usual growth. */
	durationNs: number;
	/** Growths of one map until it is thrown away. */
	chain: number;
}

const SERVE: Frame = { fn: "net/http.(*conn).serve", file: "/usr/lib/go/src/net/http/server.go", line: 2102 };
const LOOP: Frame = { fn: "example.com/etcd/metrics.(*vec).run", file: "/src/etcd/metrics/vec.go", line: 31 };
/** go statements. */
const ACCEPT: Frame = { fn: "net/http.(*Server).Serve", file: "/usr/lib/go/src/net/http/server.go", line: 3454 };
const START: Frame = { fn: "main.main", file: "/src/etcd/main.go", line: 60 };

export const WORKLOADS: readonly Workload[] = [
	{
		site: { fn: "example.com/etcd/store.(*Index).Add", file: "/src/etcd/store/index.go", line: 42 },
		callers: [{ fn: "example.com/etcd/api.put", file: "/src/etcd/api/put.go", line: 9, inlined: true }, SERVE],
		mapType: "map[string]*store.node",
		perWindow: 81,
		work: 2410,
		bytes: 2600,
		goid: 812,
		durationNs: 1200,
		chain: 14,
	},
	{
		site: { fn: "net/http.Header.Set", file: "/usr/lib/go/src/net/http/header.go", line: 39, inlined: true },
		callers: [{ fn: "example.com/etcd/api.reply", file: "/src/etcd/api/reply.go", line: 77 }, SERVE],
		mapType: "map[string][]string",
		perWindow: 20,
		work: 33,
		bytes: 4400,
		goid: 813,
		durationNs: 800,
		chain: 3,
	},
	{
		site: { fn: "main.(*cache[go.shape.string,go.shape.int]).get", file: "/src/etcd/cache.go", line: 118 },
		callers: [SERVE],
		mapType: "map[string]main.entry[string,int]",
		perWindow: 3,
		work: 0,
		bytes: 1400,
		goid: 812,
		durationNs: 400,
		chain: 5,
	},
	{
		site: { fn: "example.com/etcd/metrics.(*vec).labels", file: "/src/etcd/metrics/vec.go", line: 77 },
		callers: [LOOP],
		mapType: "map[metrics.labelSet]*metrics.series",
		perWindow: 1,
		work: 9876,
		bytes: 21_000,
		goid: 7,
		durationNs: 40_000,
		chain: 17,
	},
];

/** Buckets as the kernel counts them, for durations that are all about the same. */
function latencyOf(fn: string, mapType: string, count: number, ns: number): LatencySum {
	const buckets = new Array<number>(28).fill(0);
	const middle = Math.max(1, Math.floor(Math.log2(ns)) - 5);
	const far = Math.floor(count / 50);
	const near = Math.floor(count / 5);
	buckets[middle] = count - near - far;
	buckets[middle + 1] = near;
	buckets[middle + 5] = far;
	const max_ns = 2 ** (middle + (far > 0 ? 10 : near > 0 ? 6 : 5)) * 1.5;
	return { fn, map_type: mapType, durations: Histogram.ofOctaves(buckets, count * ns, max_ns) };
}

/** The n-th growth of a workload. */
function growthOf(load: Workload, n: number, second: number, iterating: boolean): GrowthRecord {
	const nth = (n % load.chain) + 1;
	const sameSize = nth % 5 === 0;
	const after = 8 << (nth - Math.floor(nth / 5));
	return growth(load.site, load.mapType, {
		elapsed_ns: second * 1e9 + n * 1e5,
		goid: load.goid,
		parent_goid: 1,
		created_by: load.goid === 7 ? START : ACCEPT,
		start_fn: (load.callers.at(-1) ?? SERVE).fn,
		map: `0x${(0x9e370000 + Math.floor(n / load.chain)).toString(16)}`,
		nth,
		count: Math.floor(after * 0.4),
		capacity_after: after,
		capacity_before: sameSize ? after : after / 2,
		bytes: load.bytes,
		bytes_moved: Math.floor(load.bytes * 0.45),
		kind: sameSize ? "same-size" : "double",
		cause: sameSize ? "overflow" : "load",
		iterating,
		duration_ns: load.durationNs * (n % 97 === 96 ? 40 : 1 + (n % 7) / 4),
		stack: stackOf(load),
	});
}

const stacks = new Map<Workload, Frame[]>();

/** Interned, as those of live records are. */
function stackOf(load: Workload): Frame[] {
	const stack = stacks.get(load) ?? [MAP_FRAME, load.site, ...load.callers];
	stacks.set(load, stack);
	return stack;
}

/** A run of `windows` seconds whose rates rise, fall and rise again. */
export function busyRecording(windows: number): Recording {
	const recording = new Recording();
	const grown = WORKLOADS.map(() => 0);
	for (let second = 0; second < windows; second++) {
		const scale = [1, 2, 4, 7, 11, 14, 10, 6, 3, 2, 2, 2][Math.floor(second / 3) % 12] ?? 1;
		for (const [index, load] of WORKLOADS.entries()) {
			const growths = load.perWindow * scale;
			for (let n = 0; n < growths; n++) {
				const iterating = index === 0 && second % 24 === 0 && n === 0;
				recording.growth(growthOf(load, grown[index] ?? 0, second, iterating));
				grown[index] = (grown[index] ?? 0) + 1;
			}
			const calls = load.work * scale;
			const fn = "runtime.growWork_faststr";
			recording.work({ pid: 4711, fn, map_type: load.mapType, site: load.site, calls, time_ns: 600 * calls });
			recording.latency(latencyOf("runtime.hashGrow", load.mapType, growths, load.durationNs));
			if (calls > 0) recording.latency(latencyOf(fn, load.mapType, calls, 600));
		}
		recording.close();
	}
	return recording;
}

export function busyState(windows = 72, fields: Partial<ScreenState> = {}): ScreenState {
	const recording = busyRecording(windows);
	const { total } = recording.aggregator.view();
	const ledger = measuredLedger(amountOf(total.growths), amountOf(total.work));
	return recording.state({ elapsedNs: windows * 1e9, ledger, kernel: "6.18.5-amd64", ...fields });
}

/** A run in which nothing has happened yet. */
export function idleState(windows = 3): ScreenState {
	const recording = new Recording();
	for (let second = 0; second < windows; second++) recording.close();
	const probes = [probe("internal/runtime/maps.(*table).rehash", "growth")];
	const swiss = target({ name: "caddy", pid: 99, go_version: "go1.27.3", map_impl: "swiss", stripped: false, probes });
	return recording.state({ targets: [swiss], elapsedNs: windows * 1e9, ledger: recordedLedger(0, 0) });
}

export const RING_LOSS: LossRecord = {
	type: "loss",
	time: "2025-01-31T12:01:00.000000000Z",
	stage: "ring",
	tier: "growth",
	lost: 12,
	total: 688,
	hint: "a larger ring buffer helps",
};

/** Names in two-column characters, names that are too long, a control sequence. */
export function awkwardRecording(): Recording {
	const recording = new Recording();
	const long = `example.com/${"very/deep/".repeat(8)}pkg.(*${"Extraordinarily".repeat(6)}Named).Method.func1.2`;
	const sites: [Frame, string][] = [
		[{ fn: "例え.com/倉庫/在庫.(*目録).追加する項目", file: "/源/在庫管理目録.go", line: 12 }, "map[string]*在庫.節点"],
		[
			{ fn: long, file: `/x/${"long_file_name_".repeat(5)}.go`, line: 123_456 },
			`map[${"struct { A int; B string }".repeat(4)}]bool`,
		],
		[{ fn: "main.evil\x1b[2J\u202e", file: "/x/\x07.go", line: 1 }, "map[\x1b]0;title\x07]int"],
		[{ fn: "main.noFile" }, "map[int]int"],
	];
	for (const [index, [site, mapType]] of sites.entries()) {
		for (let n = 0; n < 4 - index; n++) {
			const fields = { capacity_after: 2 ** (30 + index), bytes: 9e12, bytes_moved: 4e12, goid: index + 1 };
			recording.growth(growth(site, mapType, { ...fields, nth: n + 1, created_by: site, start_fn: site.fn }));
		}
	}
	recording.close();
	return recording;
}

/** The same in several processes, one of which has ended, with lost events. */
export function awkwardState(): ScreenState {
	const others = [
		target({ pid: 12, name: "サーバー" }),
		target({ pid: 13, name: "a\x1b[31m", stripped: false, pie: true }),
	];
	return awkwardRecording().state({
		targets: [target(), ...others],
		all: [target(), ...others, target({ pid: 14, name: "shortlived" })],
		endedPids: [14],
		elapsedNs: 3_605e9,
		ledger: { ...recordedLedger(0, 0), growth: { hits: 698, recorded: 10, sampled_out: 0, throttled: 0, lost: 688 } },
		losses: [RING_LOSS],
	});
}

/** As many call sites, maps and goroutines as a large service has. */
export function largeRecording(sites: number, windows = 3): Recording {
	const recording = new Recording();
	for (let second = 0; second < windows; second++) {
		for (let index = 0; index < sites; index++) {
			const site = {
				fn: `example.com/shop/part${index % 17}.(*Service${index}).handleRequest`,
				file: `/src/shop/part${index % 17}/service_${index}.go`,
				line: 20 + index,
			};
			const mapType = `map[part${index % 17}.key${index % 40}]*part${index % 17}.Value`;
			for (let n = 0; n < 1 + ((index * 7 + second) % 5); n++) {
				recording.growth(
					growth(site, mapType, {
						...{ elapsed_ns: second * 1e9 + index * 1e6, goid: 1000 + index, nth: second + 1 },
						...{ map: `0x${(0x10000 + index).toString(16)}`, duration_ns: 500 + ((index * 37 + n * 911) % 40_000) },
						...{ capacity_before: 8 << second, capacity_after: 16 << second, start_fn: site.fn, created_by: START },
					}),
				);
			}
			const fn = "runtime.growWork_faststr";
			recording.work({ pid: 4711, fn, map_type: mapType, site, calls: 1 + (index % 90) });
		}
		recording.close();
	}
	return recording;
}
