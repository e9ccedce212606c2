import type { FlameMetric } from "../../../../src/export/flame/metric.ts";
import { FlameGraphBuilder } from "../../../../src/export/flame/tree.ts";
import type { Frame, GrowthRecord, WorkRecord } from "../../../../src/records/records.ts";

export function frame(fn: string, file: string, line: number, inlined = false): Frame {
	return inlined ? { fn, file, line, inlined: true } : { fn, file, line };
}

export function growthOf(stack: Frame[], mapType: string, fields: Partial<GrowthRecord> = {}): GrowthRecord {
	return {
		type: "growth",
		time: "2026-01-31T12:01:07.000000000Z",
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
		duration_ns: 1500,
		stack,
		...fields,
	};
}

export function workOf(stack: Frame[], mapType: string, fields: Partial<WorkRecord> = {}): WorkRecord {
	return {
		type: "work",
		time: "2026-01-31T12:01:07.000000000Z",
		elapsed_ns: 67e9,
		pid: 4711,
		tid: 4713,
		fn: "runtime.growWork_faststr",
		map_type: mapType,
		weight: 64,
		duration_ns: 250,
		stack,
		...fields,
	};
}

const MAIN = frame("main.main", "/src/shop/main.go", 41);
const SERVE = frame("net/http.(*conn).serve", "/usr/lib/go/src/net/http/server.go", 2009);
const HANDLE = frame("example.com/shop/checkout.(*Handler).Place", "/src/shop/checkout/place.go", 118);
const GROW = frame("runtime.hashGrow", "/usr/lib/go/src/runtime/map.go", 1139);
const ASSIGN = frame("runtime.mapassign_faststr", "/usr/lib/go/src/runtime/map_faststr.go", 296);
const ADD = frame("example.com/shop/store.(*Index[go.shape.string]).Add", "/src/shop/store/index.go", 42);
const HEADER = frame("net/textproto.MIMEHeader.Set", "/usr/lib/go/src/net/textproto/header.go", 22, true);

/** Innermost frame first. */
export const PLACE = [GROW, ASSIGN, ADD, HANDLE, SERVE];
export const LOAD = [GROW, ASSIGN, ADD, MAIN];
export const SET = [GROW, ASSIGN, HEADER, HANDLE, SERVE];
export const HOSTILE = [
	GROW,
	ASSIGN,
	frame("main.a;b\n<script>alert(1)</script>\u001b[31m]]>", '/src/"quoted" & <odd>;.go', 7),
	frame("例え.com/倉庫.(*目録).追加", "/源/在庫.go", 12),
	MAIN,
];

/** 6 growths of an index, 3 of headers, 1 with names that want to be more than names; a deep and an empty stack. */
export function shopRecords(): GrowthRecord[] {
	return [
		...Array.from({ length: 4 }, () => growthOf(PLACE, "map[string]*store.node")),
		...Array.from({ length: 2 }, () => growthOf(LOAD, "map[string]*store.node", { bytes: 8192 })),
		...Array.from({ length: 3 }, () => growthOf(SET, "map[string][]string")),
		growthOf(HOSTILE, "map[struct { A int; B string }]<bool>"),
		growthOf([GROW, ASSIGN, ADD], "map[string]*store.node", { stack_truncated: true }),
		growthOf([], "map[int]int"),
	];
}

export function shopGraph(metric: FlameMetric = "growths", maxFrames?: number) {
	const builder = new FlameGraphBuilder(metric, maxFrames === undefined ? {} : { maxFrames });
	for (const record of shopRecords()) builder.add(record);
	return builder.build();
}
