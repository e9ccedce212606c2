/**
 * Layouts of the releases that no toolchain was there to measure: from the Go source files that are named, and only the fields that
 * are used. Everything else is in layout-table.generated.ts.
 */
export interface HandMadeStruct {
	/** From GOROOT/src. */
	readonly file: string;
	/** Bytes; absent where nobody needs it. */
	readonly size?: number;
	/** Field -> bytes from the start of the structure. */
	readonly fields: Readonly<Record<string, number>>;
}

const G = {
	...{ "stack.lo": 0, "stack.hi": 8, m: 48, "sched.sp": 56, "sched.pc": 64, "sched.bp": 104 },
	...{ syscallsp: 112, syscallpc: 120, atomicstatus: 144, goid: 152, waitsince: 168, waitreason: 176 },
};
/** As in 1.15. */
const G16: HandMadeStruct = { file: "runtime/runtime2.go", fields: { ...G, gopc: 280, startpc: 296 } };
/** 1.17 inserted tracking, trackingSeq, runnableStamp and runnableTime. */
const G17: HandMadeStruct = {
	file: "runtime/runtime2.go",
	fields: { ...G, trackingSeq: 189, gopc: 296, startpc: 312 },
};

/** Unchanged from 1.15 to 1.23. */
const COMMON: Readonly<Record<string, HandMadeStruct>> = {
	"runtime.m": { file: "runtime/runtime2.go", fields: { g0: 0, procid: 72, gsignal: 80, curg: 192 } },
	"runtime.sudog": { file: "runtime/runtime2.go", fields: { g: 0, elem: 24 } },
	"runtime.hiter": { file: "runtime/map.go", size: 96, fields: { key: 0, t: 16, h: 24, buckets: 32, B: 74 } },
	"runtime.hmap": {
		file: "runtime/map.go",
		size: 48,
		fields: {
			...{ count: 0, flags: 8, B: 9, noverflow: 10, hash0: 12 },
			...{ buckets: 16, oldbuckets: 24, nevacuate: 32, extra: 40 },
		},
	},
	"runtime.maptype": {
		file: "runtime/type.go",
		size: 88,
		fields: { key: 48, elem: 56, keysize: 80, elemsize: 81, bucketsize: 82, flags: 84 },
	},
};

const MODULE = { ftab: 128, minpc: 160, maxpc: 168, text: 176, etext: 184 };
const moduleData = (size: number, fields: Readonly<Record<string, number>>): HandMadeStruct => {
	return { file: "runtime/symtab.go", size, fields: { ...MODULE, ...fields } };
};
/** 1.16 inserted pcHeader and the tables behind it. */
const MODULE16 = moduleData(536, { types: 280, etypes: 288 });
/** 1.18 inserted rodata and gofunc. */
const MODULE18 = moduleData(552, { types: 280, etypes: 288, gofunc: 304 });
/** 1.20 inserted covctrs and ecovctrs. */
const MODULE20 = moduleData(568, { types: 296, etypes: 304, gofunc: 320 });

/** Go minor version -> structure -> layout. */
export const HAND_MADE_LAYOUTS: ReadonlyMap<number, Readonly<Record<string, HandMadeStruct>>> = new Map([
	[16, { ...COMMON, "runtime.g": G16, "runtime.moduledata": MODULE16 }],
	[17, { ...COMMON, "runtime.g": G17, "runtime.moduledata": MODULE16 }],
	[18, { ...COMMON, "runtime.g": G17, "runtime.moduledata": MODULE18 }],
	[20, { ...COMMON, "runtime.g": G17, "runtime.moduledata": MODULE20 }],
]);
