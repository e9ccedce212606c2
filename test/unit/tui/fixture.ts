import { Aggregator } from "../../../src/analyze/aggregator.ts";
import type { Frame, GrowthRecord, Ledger, LossRecord, ProbeInfo, TargetRecord } from "../../../src/model/records.ts";
import type { ScreenState } from "../../../src/tui/screen.ts";

/** A ledger in which every hit was recorded. */
export function recordedLedger(growth: number, work: number): Ledger {
	return {
		growth: { hits: growth, recorded: growth, sampled_out: 0, throttled: 0, lost: 0 },
		work: { hits: work, recorded: work, sampled_out: 0, throttled: 0, lost: 0 },
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
		count: 53_248,
		capacity_before: 32_768,
		capacity_after: 65_536,
		bytes: 4096,
		iterating: false,
		stack: [{ fn: "runtime.mapassign_faststr", file: "/usr/lib/go/src/runtime/map_faststr.go", line: 231 }, site],
		...fields,
	};
}

interface Workload {
	site: Frame;
	mapType: string;
	perWindow: number;
	work: number;
	capacity: number;
	bytes: number;
}

export const WORKLOADS: readonly Workload[] = [
	{
		site: { fn: "example.com/etcd/store.(*Index).Add", file: "/src/etcd/store/index.go", line: 42 },
		mapType: "map[string]*store.node",
		perWindow: 81,
		work: 2410,
		capacity: 65_536,
		bytes: 2600,
	},
	{
		site: { fn: "net/http.Header.Set", file: "/usr/lib/go/src/net/http/header.go", line: 39, inlined: true },
		mapType: "map[string][]string",
		perWindow: 20,
		work: 33,
		capacity: 8192,
		bytes: 4400,
	},
	{
		site: { fn: "main.(*cache[go.shape.string,go.shape.int]).get", file: "/src/etcd/cache.go", line: 118 },
		mapType: "map[string]main.entry[string,int]",
		perWindow: 3,
		work: 0,
		capacity: 128,
		bytes: 1400,
	},
	{
		site: { fn: "example.com/etcd/metrics.(*vec).labels", file: "/src/etcd/metrics/vec.go", line: 77 },
		mapType: "map[metrics.labelSet]*metrics.series",
		perWindow: 1,
		work: 9876,
		capacity: 131_072,
		bytes: 21_000,
	},
];

/** A run of `windows` seconds whose rates rise, fall and rise again. */
export function busyState(windows = 72, fields: Partial<ScreenState> = {}): ScreenState {
	const aggregator = new Aggregator();
	for (let second = 0; second < windows; second++) {
		const scale = [1, 2, 4, 7, 11, 14, 10, 6, 3, 2, 2, 2][Math.floor(second / 3) % 12] ?? 1;
		for (const [index, load] of WORKLOADS.entries()) {
			for (let n = 0; n < load.perWindow * scale; n++) {
				const sameSize = n % 5 === 4;
				aggregator.addGrowth(
					growth(load.site, load.mapType, {
						capacity_after: load.capacity,
						capacity_before: sameSize ? load.capacity : load.capacity / 2,
						bytes: load.bytes,
						kind: sameSize ? "same-size" : "double",
						cause: sameSize ? "overflow" : "load",
						iterating: index === 0 && second % 24 === 0 && n === 0,
					}),
				);
			}
			aggregator.addWork({
				pid: 4711,
				fn: "runtime.growWork_faststr",
				map_type: load.mapType,
				site: load.site,
				calls: load.work * scale,
			});
		}
		aggregator.closeWindow(1e9);
	}
	const view = aggregator.view();
	return {
		targets: [target()],
		elapsedNs: windows * 1e9,
		view,
		ledger: recordedLedger(view.total.growths, view.total.work),
		losses: [],
		...fields,
	};
}

/** A run in which nothing has happened yet. */
export function idleState(windows = 3): ScreenState {
	const aggregator = new Aggregator();
	for (let second = 0; second < windows; second++) aggregator.closeWindow(1e9);
	const probes = [probe("internal/runtime/maps.(*table).rehash", "growth")];
	const swiss = target({ name: "caddy", pid: 99, go_version: "go1.27.3", map_impl: "swiss", stripped: false, probes });
	return {
		targets: [swiss],
		elapsedNs: windows * 1e9,
		view: aggregator.view(),
		ledger: recordedLedger(0, 0),
		losses: [],
	};
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

/** Names in two-column characters, names that are too long, a control sequence, several processes, lost events. */
export function awkwardState(): ScreenState {
	const aggregator = new Aggregator();
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
			aggregator.addGrowth(growth(site, mapType, { capacity_after: 2 ** (30 + index), bytes: 9e12 }));
		}
	}
	aggregator.closeWindow(1e9);
	return {
		targets: [target(), target({ pid: 12, name: "サーバー" }), target({ pid: 13, name: "a\x1b[31m", stripped: false })],
		elapsedNs: 3_605e9,
		view: aggregator.view(),
		ledger: { ...recordedLedger(0, 0), growth: { hits: 698, recorded: 10, sampled_out: 0, throttled: 0, lost: 688 } },
		losses: [RING_LOSS],
	};
}
