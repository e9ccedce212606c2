/** Recordings made up by a seed, with their sums as plain additions: what a report on them must say. */
import type {
	EndRecord,
	Frame,
	GrowthRecord,
	LatencyRow,
	Ledger,
	SiteRow,
	StartRecord,
	TargetRecord,
	TierLedger,
	TypeRow,
	WindowRecord,
	WorkRecord,
} from "../../src/records/records.ts";
import { Prng } from "./prng.ts";

const EPOCH_MS = Date.UTC(2026, 0, 31, 12);

function timeAt(elapsedNs: number): string {
	const whole = Math.floor(elapsedNs / 1e9);
	const seconds = new Date(EPOCH_MS + whole * 1000).toISOString().slice(0, 19);
	return `${seconds}.${Math.floor(elapsedNs - whole * 1e9)
		.toString()
		.padStart(9, "0")}Z`;
}

const GO = "/usr/lib/go/src";
const TYPES = ["map[string]*store.node", "map[int]int", "map[string][]string", "map[metrics.labelSet]*metrics.series"];
const OUTER: readonly Frame[][] = [
	[
		{ fn: "net/http.HandlerFunc.ServeHTTP", file: `${GO}/net/http/server.go`, line: 2171, inlined: true },
		{ fn: "net/http.(*ServeMux).ServeHTTP", file: `${GO}/net/http/server.go`, line: 2688 },
		{ fn: "net/http.serverHandler.ServeHTTP", file: `${GO}/net/http/server.go`, line: 3142 },
		{ fn: "net/http.(*conn).serve", file: `${GO}/net/http/server.go`, line: 2009 },
	],
	[
		{ fn: "example.com/shop/cmd.Run", file: "/src/shop/cmd/run.go", line: 88 },
		{ fn: "main.main", file: "/src/shop/main.go", line: 41 },
	],
];
const SITES: readonly Frame[] = [
	{ fn: "example.com/shop/store.(*Index[go.shape.string]).Add", file: "/src/shop/store/index.go", line: 42 },
	{ fn: "example.com/shop/cart.(*Cart).Put", file: "/src/shop/cart/cart.go", line: 118 },
	{ fn: "net/textproto.MIMEHeader.Set", file: `${GO}/net/textproto/header.go`, line: 22, inlined: true },
	{ fn: "example.com/shop/metrics.(*vec).labels", file: "/src/shop/metrics/vec.go", line: 77 },
	{ fn: "main.(*cache).get", file: "/src/shop/cache.go", line: 9 },
];
const INNER: readonly Frame[] = [
	{ fn: "runtime.hashGrow", file: `${GO}/runtime/map.go`, line: 1139 },
	{ fn: "runtime.mapassign_faststr", file: `${GO}/runtime/map_faststr.go`, line: 296 },
];

export interface SyntheticOptions {
	seed?: number;
	windows?: number;
	growthsPerWindow?: number;
	/** Work samples per window. */
	samples?: number;
	pid?: number;
	/** Told each growth and sample as it is made. */
	onRecord?: (record: GrowthRecord | WorkRecord) => void;
}

function tier(hits: number, sampledOut = 0): TierLedger {
	return { hits, recorded: hits - sampledOut, sampled_out: sampledOut, throttled: 0, lost: 0 };
}

/** Nothing is sampled. */
type Counted<Row> = Row & { growths: number; work: number; bytes: number };
interface CountedRows {
	types: Counted<TypeRow>[];
	sites: Counted<SiteRow>[];
}
/** The end of a recording in which nothing was sampled. */
export type CountedEnd = EndRecord & { growths: number; work: number; bytes: number } & CountedRows;

/** Plain sums, by key. */
class Sums {
	growths = 0;
	work = 0;
	bytes = 0;
	readonly types = new Map<string, Counted<TypeRow>>();
	readonly sites = new Map<string, Counted<SiteRow>>();
	readonly goroutines = new Map<number, { growths: number; bytes: number; duration_ns: number }>();
	readonly calls: Record<string, number> = { "runtime.hashGrow": 0, "runtime.growWork_faststr": 0 };
	latency: LatencyRow[] = [];

	row(site: Frame, map_type: string): [Counted<TypeRow>, Counted<SiteRow>] {
		const type = this.types.get(map_type) ?? { map_type, growths: 0, work: 0, bytes: 0, max_capacity: 0 };
		this.types.set(map_type, type);
		const key = `${site.fn} ${map_type}`;
		const { fn, file, line } = site;
		const row = this.sites.get(key) ?? {
			...{ fn, ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }), map_type },
			...{ growths: 0, work: 0, bytes: 0, max_capacity: 0, iterating: 0, duration_ns: 0 },
		};
		this.sites.set(key, row);
		return [type, row];
	}

	addGrowth(growth: GrowthRecord, site: Frame): void {
		this.growths++;
		this.bytes += growth.bytes ?? 0;
		this.calls["runtime.hashGrow"] = this.growths;
		const [type, row] = this.row(site, growth.map_type);
		for (const each of [type, row]) {
			each.growths++;
			each.bytes += growth.bytes ?? 0;
			each.max_capacity = Math.max(each.max_capacity, growth.capacity_after);
		}
		row.duration_ns = (row.duration_ns ?? 0) + (growth.duration_ns ?? 0);
		if (growth.iterating === true) row.iterating = (row.iterating ?? 0) + 1;
		const goid = growth.goid ?? 0;
		const goroutine = this.goroutines.get(goid) ?? { growths: 0, bytes: 0, duration_ns: 0 };
		this.goroutines.set(goid, goroutine);
		goroutine.growths++;
		goroutine.bytes += growth.bytes ?? 0;
		goroutine.duration_ns += growth.duration_ns ?? 0;
	}

	addWork(site: Frame, mapType: string, calls: number): void {
		this.work += calls;
		this.calls["runtime.growWork_faststr"] = this.work;
		for (const row of this.row(site, mapType)) row.work += calls;
	}

	addLatency(ns: number): void {
		const [row] = this.latency;
		const from_ns = ns < 64 ? 0 : 2 ** Math.floor(Math.log2(ns));
		if (row === undefined) {
			const first = { fn: "runtime.hashGrow", map_type: "map[int]int", count: 1, sum_ns: ns, max_ns: ns };
			this.latency = [{ ...first, buckets: [{ from_ns, count: 1 }] }];
			return;
		}
		row.count++;
		row.sum_ns += ns;
		row.max_ns = Math.max(row.max_ns, ns);
		const bucket = row.buckets.find((each) => each.from_ns === from_ns);
		if (bucket === undefined) row.buckets.push({ from_ns, count: 1 });
		else bucket.count++;
		row.buckets.sort((a, b) => a.from_ns - b.from_ns);
	}

	byGrowths<Row extends { growths: number; work: number }>(rows: Iterable<Row>): Row[] {
		return [...rows].sort((a, b) => b.growths - a.growths || b.work - a.work).map((row) => ({ ...row }));
	}

	tables(pid: number): CountedRows & Pick<EndRecord, "latency" | "maps" | "goroutines"> {
		return {
			types: this.byGrowths(this.types.values()),
			sites: this.byGrowths(this.sites.values()),
			latency: structuredClone(this.latency),
			maps: [],
			goroutines: Array.from(this.goroutines, ([goid, row]) => ({ pid, goid, ...row })).sort(
				(a, b) => b.growths - a.growths || b.bytes - a.bytes || a.goid - b.goid,
			),
		};
	}
}

function ledgerOf(sums: Sums, samples: number): Ledger {
	return { growth: tier(sums.growths), work: tier(sums.work), latency: tier(sums.growths + samples) };
}

/** The lines of a recording, each with its line feed. */
export function* syntheticLines(options: SyntheticOptions = {}): Generator<string, CountedEnd> {
	const { seed = 1, windows = 5, growthsPerWindow = 100, samples = 10, pid = 4711, onRecord } = options;
	const random = new Prng(seed);
	const line = (record: object): string => `${JSON.stringify(record)}\n`;
	const start: StartRecord = {
		...{ type: "start", time: timeAt(0), schema: 1, tool: "gomapgrow", version: "0.1.0", command: ["watch", `${pid}`] },
		...{ host: "db1", kernel: "6.18.0", arch: "amd64", clock: "monotonic", interval_ns: 1e9 },
	};
	yield line(start);
	const probe = { address: "0x401000", file_offset: 4096, instruction: "jbe +0x10", cost: "emulated" } as const;
	const target: TargetRecord = {
		...{ type: "target", time: timeAt(0), pid, name: "shop", exe: "/srv/shop", go_version: "go1.23.5" },
		...{ map_impl: "classic", arch: "amd64", pie: false, stripped: true, not_probed: [] },
		probes: [
			{ ...probe, fn: "runtime.hashGrow", tier: "growth" },
			{ ...probe, fn: "runtime.growWork_faststr", tier: "work" },
		],
	};
	yield line(target);
	const total = new Sums();
	let sampled = 0;
	for (let window = 0; window < windows; window++) {
		const sums = new Sums();
		for (let n = 0; n < growthsPerWindow; n++) {
			const elapsed_ns = Math.floor((window + n / growthsPerWindow) * 1e9);
			const site = random.pick(SITES);
			const exponent = 3 + random.below(14);
			const duration_ns = 40 + random.below(1 << random.below(20));
			const growth: GrowthRecord = {
				...{ type: "growth", time: timeAt(elapsed_ns), elapsed_ns, pid, tid: pid + random.below(8) },
				...{ goid: 1 + random.below(40), impl: "classic", fn: "runtime.hashGrow" },
				...(random.chance(0.9) ? { kind: "double", cause: "load" } : { kind: "same-size", cause: "overflow" }),
				...{ map_type: random.pick(TYPES), map: `0x${(1 + random.below(500)).toString(16)}`, nth: 1 + random.below(9) },
				...{ count: 6 * 2 ** exponent, capacity_before: 2 ** exponent, capacity_after: 2 ** (exponent + 1) },
				...{ bytes: 272 * 2 ** exponent, bytes_moved: 100 * 2 ** exponent, iterating: random.chance(0.1), duration_ns },
				stack: [...INNER, site, ...random.pick(OUTER)],
			};
			yield line(growth);
			onRecord?.(growth);
			for (const each of [sums, total]) {
				each.addGrowth(growth, site);
				each.addLatency(duration_ns);
			}
		}
		for (let n = 0; n < samples; n++) {
			const elapsed_ns = Math.floor((window + (n + 1) / (samples + 1)) * 1e9);
			const site = random.pick(SITES);
			const map_type = random.pick(TYPES);
			const weight = 1 + random.below(500);
			const work: WorkRecord = {
				...{
					type: "work",
					time: timeAt(elapsed_ns),
					elapsed_ns,
					pid,
					tid: pid,
					goid: 1,
					fn: "runtime.growWork_faststr",
				},
				...{ map_type, weight, duration_ns: 100 + random.below(1000), iterating: false },
				stack: [{ fn: "runtime.growWork_faststr", file: `${GO}/runtime/map_faststr.go`, line: 424 }, site],
			};
			yield line(work);
			onRecord?.(work);
			sampled++;
			for (const each of [sums, total]) each.addWork(site, map_type, weight);
		}
		const elapsed_ns = (window + 1) * 1e9;
		const record: WindowRecord = {
			...{ type: "window", time: timeAt(elapsed_ns), elapsed_ns, interval_ns: 1e9 },
			...{ growths: sums.growths, work: sums.work, bytes: sums.bytes, calls: { ...sums.calls } },
			...sums.tables(pid),
			ledger: ledgerOf(total, sampled),
			targets: [{ pid, name: "shop", growths: sums.growths, work: sums.work }],
		};
		yield line(record);
	}
	const end: CountedEnd = {
		...{ type: "end", time: timeAt(windows * 1e9), elapsed_ns: windows * 1e9, reason: "interrupt" },
		...{ growths: total.growths, work: total.work, bytes: total.bytes, calls: { ...total.calls } },
		...total.tables(pid),
		...{ ledger: ledgerOf(total, sampled), complete: true },
	};
	yield line(end);
	return end;
}

export interface SyntheticRecording {
	lines: string[];
	text: string;
	end: CountedEnd;
	records: (GrowthRecord | WorkRecord)[];
}

/** A whole recording in memory. */
export function syntheticRecording(options: SyntheticOptions = {}): SyntheticRecording {
	const records: (GrowthRecord | WorkRecord)[] = [];
	const lines: string[] = [];
	const generator = syntheticLines({ ...options, onRecord: (record) => records.push(record) });
	for (;;) {
		const next = generator.next();
		if (next.done === true) return { lines, text: lines.join(""), end: next.value, records };
		lines.push(next.value);
	}
}
