/**
 * Byte offsets inside structures of the Go runtime, by Go minor version, for 64-bit programs. Sources: DWARF of programs built
 * with 1.15.15, 1.19.8, 1.21.13, 1.22.12, 1.23.5, 1.24.4, 1.25.12, 1.26.10 and 1.27.3; the releases between them from the
 * Go source files that each table names.
 */

/** runtime/runtime2.go, type g; `stack` is {lo, hi} at 0. */
export interface GLayout {
	stackLo: number;
	stackHi: number;
	m: number;
	/** g.sched, a gobuf. */
	schedSp: number;
	schedPc: number;
	schedBp: number;
	atomicstatus: number;
	goid: number;
	/** 1.21+. */
	parentGoid?: number;
	/** pc of the go statement that made the goroutine. */
	gopc: number;
	/** Entry of the goroutine's function. */
	startpc: number;
}

/** runtime/runtime2.go, type m. */
export interface MLayout {
	g0: number;
	/** Thread id. */
	procid: number;
	gsignal: number;
	curg: number;
}

/** runtime/map.go, type hmap; from 1.24 runtime/map_noswiss.go. */
export interface HmapLayout {
	bytes: number;
	count: number;
	flags: number;
	B: number;
	noverflow: number;
	hash0: number;
	buckets: number;
	oldbuckets: number;
	nevacuate: number;
	extra: number;
}

/** internal/runtime/maps/map.go, type Map. */
export interface SwissMapLayout {
	bytes: number;
	used: number;
	seed: number;
	dirPtr: number;
	dirLen: number;
	globalDepth: number;
	globalShift: number;
	writing: number;
	clearSeq: number;
}

/** internal/runtime/maps/table.go, type table; `groups` is {data, lengthMask}. */
export interface SwissTableLayout {
	bytes: number;
	used: number;
	capacity: number;
	growthLeft: number;
	localDepth: number;
	index: number;
	groupsData: number;
	groupsLengthMask: number;
}

/** internal/abi/type.go, type Type (before 1.21 runtime/type.go, type _type): the same in all versions. */
export const TYPE_LAYOUT = { bytes: 48, tflag: 20, kind: 23, str: 40 } as const;

/** runtime/type.go maptype, internal/abi/type.go MapType, 1.24 internal/abi/map_noswiss.go OldMapType: the same in all. */
export interface ClassicMapTypeLayout {
	bytes: number;
	key: number;
	elem: number;
	keySize: number;
	elemSize: number;
	bucketSize: number;
	flags: number;
}

/** internal/abi/map_swiss.go SwissMapType (1.24, 1.25), internal/abi/map.go MapType (1.26+). */
export interface SwissMapTypeLayout {
	bytes: number;
	key: number;
	elem: number;
	groupSize: number;
	/** Distance of two slots: SlotSize, from 1.27 KeyStride (equal while slots are interleaved). */
	slotSize: number;
	flags: number;
}

/** runtime/symtab.go, type moduledata. */
export interface ModuleDataLayout {
	bytes: number;
	/** A slice: pointer, length, capacity. */
	ftab: number;
	minpc: number;
	maxpc: number;
	text: number;
	etext: number;
	types: number;
	etypes: number;
	gofunc?: number;
}

export interface StructLayouts {
	g: GLayout;
	m: MLayout;
	hmap: HmapLayout;
	classicMapType: ClassicMapTypeLayout;
	/** 1.24+. */
	swissMap?: SwissMapLayout;
	swissTable?: SwissTableLayout;
	swissMapType?: SwissMapTypeLayout;
}

const gSched = { stackLo: 0, stackHi: 8, m: 48, schedSp: 56, schedPc: 64 };
const gOld = { ...gSched, schedBp: 104, atomicstatus: 144, goid: 152 };
/** 1.23 inserted syscallbp before atomicstatus. */
const g123 = { ...gSched, schedBp: 104, atomicstatus: 152, goid: 160, parentGoid: 280, gopc: 288, startpc: 304 };
/** 1.25 removed gobuf.ret. */
const g125 = { ...gSched, schedBp: 96, atomicstatus: 144, goid: 152 };

const mOld: MLayout = { g0: 0, procid: 72, gsignal: 80, curg: 192 };
/** 1.25 removed gobuf.ret, which m.morebuf has before procid. */
const m125: MLayout = { g0: 0, procid: 64, gsignal: 72, curg: 184 };

const hmapHead = { count: 0, flags: 8, B: 9, noverflow: 10, hash0: 12, buckets: 16, oldbuckets: 24, nevacuate: 32 };
const hmap: HmapLayout = { ...hmapHead, bytes: 48, extra: 40 };
/** 1.24 inserted clearSeq. */
const hmap124: HmapLayout = { ...hmapHead, bytes: 56, extra: 48 };

const classicMapType: ClassicMapTypeLayout = {
	bytes: 88,
	key: 48,
	elem: 56,
	keySize: 80,
	elemSize: 81,
	bucketSize: 82,
	flags: 84,
};

const swissMap: SwissMapLayout = {
	bytes: 48,
	used: 0,
	seed: 8,
	dirPtr: 16,
	dirLen: 24,
	globalDepth: 32,
	globalShift: 33,
	writing: 34,
	clearSeq: 40,
};
const swissTable: SwissTableLayout = {
	bytes: 32,
	used: 0,
	capacity: 2,
	growthLeft: 4,
	localDepth: 6,
	index: 8,
	groupsData: 16,
	groupsLengthMask: 24,
};
const swissMapType: SwissMapTypeLayout = { bytes: 112, key: 48, elem: 56, groupSize: 80, slotSize: 88, flags: 104 };
/** 1.27: KeysOff, KeyStride, ElemsOff, ElemStride, ElemOff instead of SlotSize, ElemOff. */
const swissMapType127: SwissMapTypeLayout = { ...swissMapType, bytes: 136, slotSize: 96, flags: 128 };

const classic = { m: mOld, hmap, classicMapType };
const swiss124 = { m: mOld, hmap: hmap124, classicMapType, swissMap, swissTable, swissMapType };
const swiss125 = { ...swiss124, m: m125 };

const g115: GLayout = { ...gOld, gopc: 280, startpc: 296 };
/** 1.17 inserted the scheduling latency fields (tracking, runnableStamp, runnableTime). */
const g117: GLayout = { ...gOld, gopc: 296, startpc: 312 };
const g121: GLayout = { ...gOld, parentGoid: 272, gopc: 280, startpc: 296 };
const g126: GLayout = { ...g125, parentGoid: 280, gopc: 288, startpc: 304 };

/** Go minor version -> layouts. */
export const STRUCT_LAYOUTS: ReadonlyMap<number, StructLayouts> = new Map<number, StructLayouts>([
	[15, { ...classic, g: g115 }],
	[16, { ...classic, g: g115 }],
	[17, { ...classic, g: g117 }],
	[18, { ...classic, g: g117 }],
	[19, { ...classic, g: g117 }],
	[20, { ...classic, g: g117 }],
	[21, { ...classic, g: g121 }],
	[22, { ...classic, g: g121 }],
	[23, { ...classic, g: g123 }],
	[24, { ...swiss124, g: g123 }],
	[25, { ...swiss125, g: { ...g125, parentGoid: 272, gopc: 280, startpc: 296 } }],
	[26, { ...swiss125, g: g126 }],
	[27, { ...swiss125, g: g126, swissMapType: swissMapType127 }],
]);

const module116 = { ftab: 128, minpc: 160, maxpc: 168, text: 176, etext: 184, types: 280, etypes: 288 };
const module118: ModuleDataLayout = { ...module116, bytes: 552, gofunc: 304 };
/** 1.20 inserted covctrs and ecovctrs. */
const module120 = { ...module116, types: 296, etypes: 304, gofunc: 320 };

/** Go minor version -> layout of moduledata. */
export const MODULE_DATA_LAYOUTS: ReadonlyMap<number, ModuleDataLayout> = new Map<number, ModuleDataLayout>([
	[15, { bytes: 456, ftab: 24, minpc: 80, maxpc: 88, text: 96, etext: 104, types: 200, etypes: 208 }],
	[16, { ...module116, bytes: 536 }],
	[17, { ...module116, bytes: 536 }],
	[18, module118],
	[19, module118],
	[20, { ...module120, bytes: 568 }],
	[21, { ...module120, bytes: 592 }],
	[22, { ...module120, bytes: 592 }],
	[23, { ...module120, bytes: 584 }],
	[24, { ...module120, bytes: 584 }],
	[25, { ...module120, bytes: 584 }],
	[26, { ...module120, bytes: 592 }],
	// 1.27 inserted typedesclen, itaboffset and itabsize around etypes.
	[27, { ...module120, bytes: 568, etypes: 312, gofunc: 344 }],
]);
