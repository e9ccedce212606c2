/** What a session makes of the records of its ring, with the kernel's side in memory. */
import { afterAll, beforeAll, expect, mock, test } from "bun:test";
import { FAULT, GOROUTINE, LATENCY_KEY, LATENCY_ROW, ROW, ROW_KEY, SITE_COUNTS } from "../../../src/kernel/wire.ts";
import { ledgerComplete } from "../../../src/records/ledger.ts";
import { StackDecoder } from "../../../src/tracer/decode/stacks.ts";
import type { EventRecord, Session as Sessions } from "../../../src/tracer/session.ts";
import type { Target } from "../../../src/tracer/target.ts";
import { FakeBpf } from "../kernel/fake-bpf.ts";
import { hmapBytes, rawGrowth, rawWork } from "../kernel/raw-records.ts";
import { plannedProbe, probePlan } from "./plan-parts.ts";

const PATH = "../../../src/kernel/libbpf.ts";
const libbpf = { ...(await import("../../../src/kernel/libbpf.ts")) };
const fake = new FakeBpf(1);
/** Names of maps, by their descriptors. */
const maps: string[] = [];
const fdOf = (name: string): number => (maps.includes(name) ? maps.indexOf(name) : maps.push(name) - 1);
let ring: DataView[] = [];
const zero = (): number => 0;

const symbols = {
	...fake.symbols,
	...{ gmg_keep_user_reads: zero, bpf_object__open_mem: () => 1, bpf_object__load: zero, bpf_object__close: zero },
	...{ bpf_map__set_initial_value: zero, bpf_map__set_max_entries: zero, bpf_map_update_elem: zero },
	...{ bpf_program__set_autoload: zero, bpf_program__set_log_buf: zero },
	...{ bpf_object__find_program_by_name: () => 1, bpf_program__attach_uprobe_opts: () => 1, bpf_link__destroy: zero },
	bpf_object__find_map_by_name: (_object: number, name: Uint8Array) =>
		1 + fdOf(Buffer.from(name).toString().replace("\0", "")),
	bpf_map__fd: (map: number) => map - 1,
	...{ gmg_ring_open: () => 1, gmg_ring_close: zero },
	gmg_ring_drain: (_ring: number, out: Uint8Array) => {
		let at = 0;
		for (const record of ring) {
			new DataView(out.buffer).setUint32(at, record.byteLength, true);
			out.set(new Uint8Array(record.buffer, record.byteOffset, record.byteLength), at + 8);
			at += 8 + Math.ceil(record.byteLength / 8) * 8;
		}
		ring = [];
		return at;
	},
};

let Session: typeof Sessions;
beforeAll(async () => {
	mock.module(PATH, () => ({ ...libbpf, libbpf: () => symbols }));
	({ Session } = await import("../../../src/tracer/session.ts"));
	fake.create(fdOf("site_counts"), 4, SITE_COUNTS.size, true, 8);
	fake.create(fdOf("call_rows"), ROW_KEY.size, ROW.size, true);
	fake.create(fdOf("latency_rows"), LATENCY_KEY.size, LATENCY_ROW.size, false);
	fake.create(fdOf("goroutines"), GOROUTINE.keySize, GOROUTINE.size, false);
});
afterAll(() => {
	mock.module(PATH, () => libbpf);
});

const PLAN = probePlan([
	plannedProbe("runtime.hashGrow", { role: "hashGrow", tier: "growth" }),
	plannedProbe("runtime.growWork"),
]);
const [GROWTH, WORK] = [0, 1];

function target(): Target {
	const binary = {
		version: { minor: 23 },
		symbolize: () => [],
		functionAt: () => undefined,
		bytesAt: () => new Uint8Array(),
	};
	return {
		...{ identity: { pid: 7, openPath: "/proc/7/exe", name: "shop" }, plan: PLAN, bias: 0, image: 1, binary },
		...{
			wrappers: [],
			checkSites: zero,
			proveProbes: zero,
			close: zero,
			learnBias: zero,
			types: { at: () => ({ name: "map[int]int" }) },
		},
		stacks: new StackDecoder({ binary, plan: PLAN }),
	} as unknown as Target;
}

function hits(site: number, count: number, picked = 0): void {
	fake.change(fdOf("site_counts"), new Uint8Array(Uint32Array.of(site).buffer), 0, (view) => {
		view.setBigUint64(SITE_COUNTS.hits, BigInt(count), true);
		view.setBigUint64(SITE_COUNTS.picked, BigInt(picked), true);
	});
}

function ofKind(record: DataView, kind: number): DataView {
	record.setUint32(0, kind, true);
	return record;
}

test("what comes but cannot be used is lost for its own reason, and nothing of it is open", () => {
	const anchor = { wallNs: 0n, monotonicNs: 0n };
	const session = new Session({ mode: "perf-cookie", anchor, latency: false, iterations: false, maxSites: 4 });
	session.attach(target());
	hits(GROWTH, 6);
	hits(WORK, 5, 2);
	const header = hmapBytes({ count: 26, b: 2 });
	const readable = { site: GROWTH, tgid: 7, header };
	ring = [
		rawGrowth(readable),
		rawGrowth({ ...readable, fault: FAULT.header }),
		// As many buckets as no map has: these bytes are no header.
		rawGrowth({ ...readable, header: hmapBytes({ count: -1, b: 200 }) }),
		ofKind(rawGrowth(readable), 99),
		ofKind(rawWork({ site: WORK, tgid: 7 }), 99),
		// Too short to say where it comes from.
		new DataView(new ArrayBuffer(4)),
		// A site that there is not: its target is gone.
		rawGrowth({ ...readable, site: 3 }),
		rawWork({ site: WORK, tgid: 7 }),
	];
	const records: EventRecord[] = [];
	expect(session.drain((record) => records.push(record))).toBe(8);
	expect(records.map(({ type }) => type)).toEqual(["growth", "work"]);
	const { ledger, undecoded } = session.readFinalCounters();
	expect(ledger.growth).toEqual({ hits: 6, recorded: 1, sampled_out: 0, throttled: 0, lost: 5 });
	expect(ledger.sample).toEqual({ hits: 5, recorded: 1, sampled_out: 3, throttled: 0, lost: 1 });
	expect(undecoded).toEqual([
		{ tier: "growth", stage: "unreadable", count: 2 },
		{ tier: "growth", stage: "unknown-record", count: 2 },
		{ tier: "sample", stage: "unknown-record", count: 1 },
	]);
	expect(ledgerComplete(ledger)).toBe(false);
	session.close();
});
