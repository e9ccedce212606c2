/**
 * Layouts of structures of the Go runtime for linux/amd64, by Go minor version; linux/arm64 has the same, but for the
 * size of runtime.p from Go 1.26 on.
 * Generated from the DWARF of programs built with every toolchain by `bun build/layouts.ts`: do not edit.
 */

/** What each position of a row stands for: a Go minor version, "-noswissmap" when built with GOEXPERIMENT=noswissmap. */
export const LAYOUT_COLUMNS = [
	"1.15",
	"1.19",
	"1.21",
	"1.22",
	"1.23",
	"1.24",
	"1.24-noswissmap",
	"1.25",
	"1.25-noswissmap",
	"1.26",
	"1.27",
] as const;

/** The release that each column was measured with. */
export const LAYOUT_RELEASES: readonly string[] = [
	"go1.15.15",
	"go1.19.8",
	"go1.21.13",
	"go1.22.12",
	"go1.23.5",
	"go1.24.4",
	"go1.24.4",
	"go1.25.12",
	"go1.25.12",
	"go1.26.11",
	"go1.27.3",
];

export type LayoutColumn = (typeof LAYOUT_COLUMNS)[number];

/** One number per column; null where the structure or the field does not exist. */
export type LayoutRow = readonly (number | null)[];

export interface StructTable {
	/** Where the structure is declared, from GOROOT/src, and in which columns. */
	readonly files: Readonly<Record<string, readonly LayoutColumn[]>>;
	/** Bytes. */
	readonly size: LayoutRow;
	/** By the field's name; "sched.sp" is the field sp of the structure that the field sched is. */
	readonly fields: Readonly<Record<string, FieldTable>>;
}

export interface FieldTable {
	/** Bytes of the field, the same in all columns. */
	readonly bytes: number;
	/** Bytes from the start of the structure. */
	readonly at: LayoutRow;
}

/** By the structure's full name. */
export const LAYOUT_TABLE: Readonly<Record<string, StructTable>> = {
	"internal/abi.MapType": {
		files: {
			"internal/abi/type.go": ["1.21", "1.22", "1.23"],
			"internal/abi/map.go": ["1.26", "1.27"],
		},
		size: [null, null, 88, 88, 88, null, null, null, null, 112, 136],
		fields: {
			Type: { bytes: 48, at: [null, null, 0, 0, 0, null, null, null, null, 0, 0] },
			Key: { bytes: 8, at: [null, null, 48, 48, 48, null, null, null, null, 48, 48] },
			Elem: { bytes: 8, at: [null, null, 56, 56, 56, null, null, null, null, 56, 56] },
			Group: { bytes: 8, at: [null, null, null, null, null, null, null, null, null, 64, 64] },
			Bucket: { bytes: 8, at: [null, null, 64, 64, 64, null, null, null, null, null, null] },
			Hasher: { bytes: 8, at: [null, null, 72, 72, 72, null, null, null, null, 72, 72] },
			GroupSize: { bytes: 8, at: [null, null, null, null, null, null, null, null, null, 80, 80] },
			KeysOff: { bytes: 8, at: [null, null, null, null, null, null, null, null, null, null, 88] },
			KeyStride: { bytes: 8, at: [null, null, null, null, null, null, null, null, null, null, 96] },
			ElemsOff: { bytes: 8, at: [null, null, null, null, null, null, null, null, null, null, 104] },
			ElemStride: { bytes: 8, at: [null, null, null, null, null, null, null, null, null, null, 112] },
			SlotSize: { bytes: 8, at: [null, null, null, null, null, null, null, null, null, 88, null] },
			ElemOff: { bytes: 8, at: [null, null, null, null, null, null, null, null, null, 96, 120] },
			KeySize: { bytes: 1, at: [null, null, 80, 80, 80, null, null, null, null, null, null] },
			ValueSize: { bytes: 1, at: [null, null, 81, 81, 81, null, null, null, null, null, null] },
			BucketSize: { bytes: 2, at: [null, null, 82, 82, 82, null, null, null, null, null, null] },
			Flags: { bytes: 4, at: [null, null, 84, 84, 84, null, null, null, null, 104, 128] },
		},
	},
	"internal/abi.OldMapType": {
		files: { "internal/abi/map_noswiss.go": ["1.24-noswissmap", "1.25-noswissmap"] },
		size: [null, null, null, null, null, null, 88, null, 88, null, null],
		fields: {
			Type: { bytes: 48, at: [null, null, null, null, null, null, 0, null, 0, null, null] },
			Key: { bytes: 8, at: [null, null, null, null, null, null, 48, null, 48, null, null] },
			Elem: { bytes: 8, at: [null, null, null, null, null, null, 56, null, 56, null, null] },
			Bucket: { bytes: 8, at: [null, null, null, null, null, null, 64, null, 64, null, null] },
			Hasher: { bytes: 8, at: [null, null, null, null, null, null, 72, null, 72, null, null] },
			KeySize: { bytes: 1, at: [null, null, null, null, null, null, 80, null, 80, null, null] },
			ValueSize: { bytes: 1, at: [null, null, null, null, null, null, 81, null, 81, null, null] },
			BucketSize: { bytes: 2, at: [null, null, null, null, null, null, 82, null, 82, null, null] },
			Flags: { bytes: 4, at: [null, null, null, null, null, null, 84, null, 84, null, null] },
		},
	},
	"internal/abi.SwissMapType": {
		files: { "internal/abi/map_swiss.go": ["1.24", "1.25"] },
		size: [null, null, null, null, null, 112, null, 112, null, null, null],
		fields: {
			Type: { bytes: 48, at: [null, null, null, null, null, 0, null, 0, null, null, null] },
			Key: { bytes: 8, at: [null, null, null, null, null, 48, null, 48, null, null, null] },
			Elem: { bytes: 8, at: [null, null, null, null, null, 56, null, 56, null, null, null] },
			Group: { bytes: 8, at: [null, null, null, null, null, 64, null, 64, null, null, null] },
			Hasher: { bytes: 8, at: [null, null, null, null, null, 72, null, 72, null, null, null] },
			GroupSize: { bytes: 8, at: [null, null, null, null, null, 80, null, 80, null, null, null] },
			SlotSize: { bytes: 8, at: [null, null, null, null, null, 88, null, 88, null, null, null] },
			ElemOff: { bytes: 8, at: [null, null, null, null, null, 96, null, 96, null, null, null] },
			Flags: { bytes: 4, at: [null, null, null, null, null, 104, null, 104, null, null, null] },
		},
	},
	"internal/abi.Type": {
		files: {
			"internal/abi/type.go": [
				"1.21",
				"1.22",
				"1.23",
				"1.24",
				"1.24-noswissmap",
				"1.25",
				"1.25-noswissmap",
				"1.26",
				"1.27",
			],
		},
		size: [null, null, 48, 48, 48, 48, 48, 48, 48, 48, 48],
		fields: {
			Size_: { bytes: 8, at: [null, null, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
			PtrBytes: { bytes: 8, at: [null, null, 8, 8, 8, 8, 8, 8, 8, 8, 8] },
			Hash: { bytes: 4, at: [null, null, 16, 16, 16, 16, 16, 16, 16, 16, 16] },
			TFlag: { bytes: 1, at: [null, null, 20, 20, 20, 20, 20, 20, 20, 20, 20] },
			Align_: { bytes: 1, at: [null, null, 21, 21, 21, 21, 21, 21, 21, 21, 21] },
			FieldAlign_: { bytes: 1, at: [null, null, 22, 22, 22, 22, 22, 22, 22, 22, 22] },
			Kind_: { bytes: 1, at: [null, null, 23, 23, 23, 23, 23, 23, 23, 23, 23] },
			Equal: { bytes: 8, at: [null, null, 24, 24, 24, 24, 24, 24, 24, 24, 24] },
			GCData: { bytes: 8, at: [null, null, 32, 32, 32, 32, 32, 32, 32, 32, 32] },
			Str: { bytes: 4, at: [null, null, 40, 40, 40, 40, 40, 40, 40, 40, 40] },
			PtrToThis: { bytes: 4, at: [null, null, 44, 44, 44, 44, 44, 44, 44, 44, 44] },
		},
	},
	"internal/runtime/maps.Iter": {
		files: { "internal/runtime/maps/table.go": ["1.24", "1.25", "1.26", "1.27"] },
		size: [null, null, null, null, null, 96, null, 96, null, 96, 96],
		fields: {
			key: { bytes: 8, at: [null, null, null, null, null, 0, null, 0, null, 0, 0] },
			elem: { bytes: 8, at: [null, null, null, null, null, 8, null, 8, null, 8, 8] },
			typ: { bytes: 8, at: [null, null, null, null, null, 16, null, 16, null, 16, 16] },
			m: { bytes: 8, at: [null, null, null, null, null, 24, null, 24, null, 24, 24] },
			entryOffset: { bytes: 8, at: [null, null, null, null, null, 32, null, 32, null, 32, 32] },
			dirOffset: { bytes: 8, at: [null, null, null, null, null, 40, null, 40, null, 40, 40] },
			clearSeq: { bytes: 8, at: [null, null, null, null, null, 48, null, 48, null, 48, 48] },
			globalDepth: { bytes: 1, at: [null, null, null, null, null, 56, null, 56, null, 56, 56] },
			dirIdx: { bytes: 8, at: [null, null, null, null, null, 64, null, 64, null, 64, 64] },
			tab: { bytes: 8, at: [null, null, null, null, null, 72, null, 72, null, 72, 72] },
			group: { bytes: 8, at: [null, null, null, null, null, 80, null, 80, null, 80, 80] },
			entryIdx: { bytes: 8, at: [null, null, null, null, null, 88, null, 88, null, 88, 88] },
		},
	},
	"internal/runtime/maps.Map": {
		files: { "internal/runtime/maps/map.go": ["1.24", "1.25", "1.26", "1.27"] },
		size: [null, null, null, null, null, 48, null, 48, null, 48, 48],
		fields: {
			used: { bytes: 8, at: [null, null, null, null, null, 0, null, 0, null, 0, 0] },
			seed: { bytes: 8, at: [null, null, null, null, null, 8, null, 8, null, 8, 8] },
			dirPtr: { bytes: 8, at: [null, null, null, null, null, 16, null, 16, null, 16, 16] },
			dirLen: { bytes: 8, at: [null, null, null, null, null, 24, null, 24, null, 24, 24] },
			globalDepth: { bytes: 1, at: [null, null, null, null, null, 32, null, 32, null, 32, 32] },
			globalShift: { bytes: 1, at: [null, null, null, null, null, 33, null, 33, null, 33, 33] },
			writing: { bytes: 1, at: [null, null, null, null, null, 34, null, 34, null, 34, 34] },
			tombstonePossible: { bytes: 1, at: [null, null, null, null, null, null, null, 35, null, 35, 35] },
			clearSeq: { bytes: 8, at: [null, null, null, null, null, 40, null, 40, null, 40, 40] },
		},
	},
	"internal/runtime/maps.groupsReference": {
		files: { "internal/runtime/maps/group.go": ["1.24", "1.25", "1.26", "1.27"] },
		size: [null, null, null, null, null, 16, null, 16, null, 16, 16],
		fields: {
			data: { bytes: 8, at: [null, null, null, null, null, 0, null, 0, null, 0, 0] },
			lengthMask: { bytes: 8, at: [null, null, null, null, null, 8, null, 8, null, 8, 8] },
		},
	},
	"internal/runtime/maps.table": {
		files: { "internal/runtime/maps/table.go": ["1.24", "1.25", "1.26", "1.27"] },
		size: [null, null, null, null, null, 32, null, 32, null, 32, 32],
		fields: {
			used: { bytes: 2, at: [null, null, null, null, null, 0, null, 0, null, 0, 0] },
			capacity: { bytes: 2, at: [null, null, null, null, null, 2, null, 2, null, 2, 2] },
			growthLeft: { bytes: 2, at: [null, null, null, null, null, 4, null, 4, null, 4, 4] },
			localDepth: { bytes: 1, at: [null, null, null, null, null, 6, null, 6, null, 6, 6] },
			index: { bytes: 8, at: [null, null, null, null, null, 8, null, 8, null, 8, 8] },
			groups: { bytes: 16, at: [null, null, null, null, null, 16, null, 16, null, 16, 16] },
			"groups.data": { bytes: 8, at: [null, null, null, null, null, 16, null, 16, null, 16, 16] },
			"groups.lengthMask": { bytes: 8, at: [null, null, null, null, null, 24, null, 24, null, 24, 24] },
		},
	},
	"runtime._type": {
		files: { "runtime/type.go": ["1.15", "1.19"] },
		size: [48, 48, null, null, null, null, null, null, null, null, null],
		fields: {
			size: { bytes: 8, at: [0, 0, null, null, null, null, null, null, null, null, null] },
			ptrdata: { bytes: 8, at: [8, 8, null, null, null, null, null, null, null, null, null] },
			hash: { bytes: 4, at: [16, 16, null, null, null, null, null, null, null, null, null] },
			tflag: { bytes: 1, at: [20, 20, null, null, null, null, null, null, null, null, null] },
			align: { bytes: 1, at: [21, 21, null, null, null, null, null, null, null, null, null] },
			fieldAlign: { bytes: 1, at: [22, 22, null, null, null, null, null, null, null, null, null] },
			kind: { bytes: 1, at: [23, 23, null, null, null, null, null, null, null, null, null] },
			equal: { bytes: 8, at: [24, 24, null, null, null, null, null, null, null, null, null] },
			gcdata: { bytes: 8, at: [32, 32, null, null, null, null, null, null, null, null, null] },
			str: { bytes: 4, at: [40, 40, null, null, null, null, null, null, null, null, null] },
			ptrToThis: { bytes: 4, at: [44, 44, null, null, null, null, null, null, null, null, null] },
		},
	},
	"runtime.g": {
		files: { "runtime/runtime2.go": LAYOUT_COLUMNS },
		size: [376, 392, 408, 424, 432, 440, 440, 440, 440, 456, 456],
		fields: {
			"stack.lo": { bytes: 8, at: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
			"stack.hi": { bytes: 8, at: [8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8] },
			stackguard0: { bytes: 8, at: [16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16] },
			m: { bytes: 8, at: [48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48] },
			"sched.sp": { bytes: 8, at: [56, 56, 56, 56, 56, 56, 56, 56, 56, 56, 56] },
			"sched.pc": { bytes: 8, at: [64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64] },
			"sched.bp": { bytes: 8, at: [104, 104, 104, 104, 104, 104, 104, 96, 96, 96, 96] },
			atomicstatus: { bytes: 4, at: [144, 144, 144, 144, 152, 152, 152, 144, 144, 144, 144] },
			goid: { bytes: 8, at: [152, 152, 152, 152, 160, 160, 160, 152, 152, 152, 152] },
			syscallsp: { bytes: 8, at: [112, 112, 112, 112, 112, 112, 112, 104, 104, 104, 104] },
			syscallpc: { bytes: 8, at: [120, 120, 120, 120, 120, 120, 120, 112, 112, 112, 112] },
			waitsince: { bytes: 8, at: [168, 168, 168, 168, 176, 176, 176, 168, 168, 168, 168] },
			waitreason: { bytes: 1, at: [176, 176, 176, 176, 184, 184, 184, 176, 176, 176, 176] },
			trackingSeq: { bytes: 1, at: [null, 189, 188, 191, 199, 199, 199, 191, 191, 191, 191] },
			parentGoid: { bytes: 8, at: [null, null, 272, 272, 280, 280, 280, 272, 272, 280, 280] },
			gopc: { bytes: 8, at: [280, 296, 280, 280, 288, 288, 288, 280, 280, 288, 288] },
			startpc: { bytes: 8, at: [296, 312, 296, 296, 304, 304, 304, 296, 296, 304, 304] },
		},
	},
	"runtime.gobuf": {
		files: { "runtime/runtime2.go": LAYOUT_COLUMNS },
		size: [56, 56, 56, 56, 56, 56, 56, 48, 48, 48, 48],
		fields: {
			sp: { bytes: 8, at: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
			pc: { bytes: 8, at: [8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8] },
			g: { bytes: 8, at: [16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16] },
			ctxt: { bytes: 8, at: [24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24] },
			ret: { bytes: 8, at: [32, 32, 32, 32, 32, 32, 32, null, null, null, null] },
			lr: { bytes: 8, at: [40, 40, 40, 40, 40, 40, 40, 32, 32, 32, 32] },
			bp: { bytes: 8, at: [48, 48, 48, 48, 48, 48, 48, 40, 40, 40, 40] },
		},
	},
	"runtime.hiter": {
		files: {
			"runtime/map.go": ["1.15", "1.19", "1.21", "1.22", "1.23"],
			"runtime/map_noswiss.go": ["1.24-noswissmap", "1.25-noswissmap"],
		},
		size: [96, 96, 96, 96, 96, null, 104, null, 104, null, null],
		fields: {
			key: { bytes: 8, at: [0, 0, 0, 0, 0, null, 0, null, 0, null, null] },
			elem: { bytes: 8, at: [8, 8, 8, 8, 8, null, 8, null, 8, null, null] },
			t: { bytes: 8, at: [16, 16, 16, 16, 16, null, 16, null, 16, null, null] },
			h: { bytes: 8, at: [24, 24, 24, 24, 24, null, 24, null, 24, null, null] },
			buckets: { bytes: 8, at: [32, 32, 32, 32, 32, null, 32, null, 32, null, null] },
			bptr: { bytes: 8, at: [40, 40, 40, 40, 40, null, 40, null, 40, null, null] },
			overflow: { bytes: 8, at: [48, 48, 48, 48, 48, null, 48, null, 48, null, null] },
			oldoverflow: { bytes: 8, at: [56, 56, 56, 56, 56, null, 56, null, 56, null, null] },
			startBucket: { bytes: 8, at: [64, 64, 64, 64, 64, null, 64, null, 64, null, null] },
			offset: { bytes: 1, at: [72, 72, 72, 72, 72, null, 72, null, 72, null, null] },
			wrapped: { bytes: 1, at: [73, 73, 73, 73, 73, null, 73, null, 73, null, null] },
			B: { bytes: 1, at: [74, 74, 74, 74, 74, null, 74, null, 74, null, null] },
			i: { bytes: 1, at: [75, 75, 75, 75, 75, null, 75, null, 75, null, null] },
			bucket: { bytes: 8, at: [80, 80, 80, 80, 80, null, 80, null, 80, null, null] },
			checkBucket: { bytes: 8, at: [88, 88, 88, 88, 88, null, 88, null, 88, null, null] },
			clearSeq: { bytes: 8, at: [null, null, null, null, null, null, 96, null, 96, null, null] },
		},
	},
	"runtime.hmap": {
		files: {
			"runtime/map.go": ["1.15", "1.19", "1.21", "1.22", "1.23"],
			"runtime/map_noswiss.go": ["1.24-noswissmap", "1.25-noswissmap"],
		},
		size: [48, 48, 48, 48, 48, null, 56, null, 56, null, null],
		fields: {
			count: { bytes: 8, at: [0, 0, 0, 0, 0, null, 0, null, 0, null, null] },
			flags: { bytes: 1, at: [8, 8, 8, 8, 8, null, 8, null, 8, null, null] },
			B: { bytes: 1, at: [9, 9, 9, 9, 9, null, 9, null, 9, null, null] },
			noverflow: { bytes: 2, at: [10, 10, 10, 10, 10, null, 10, null, 10, null, null] },
			hash0: { bytes: 4, at: [12, 12, 12, 12, 12, null, 12, null, 12, null, null] },
			buckets: { bytes: 8, at: [16, 16, 16, 16, 16, null, 16, null, 16, null, null] },
			oldbuckets: { bytes: 8, at: [24, 24, 24, 24, 24, null, 24, null, 24, null, null] },
			nevacuate: { bytes: 8, at: [32, 32, 32, 32, 32, null, 32, null, 32, null, null] },
			clearSeq: { bytes: 8, at: [null, null, null, null, null, null, 40, null, 40, null, null] },
			extra: { bytes: 8, at: [40, 40, 40, 40, 40, null, 48, null, 48, null, null] },
		},
	},
	"runtime.m": {
		files: { "runtime/runtime2.go": LAYOUT_COLUMNS },
		size: [992, 1008, 1008, 2024, 1760, 1808, 1808, 1816, 1816, 1824, 1832],
		fields: {
			g0: { bytes: 8, at: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
			procid: { bytes: 8, at: [72, 72, 72, 72, 72, 72, 72, 64, 64, 64, 64] },
			gsignal: { bytes: 8, at: [80, 80, 80, 80, 80, 80, 80, 72, 72, 72, 72] },
			tls: { bytes: 48, at: [136, 136, 136, 136, 136, 136, 136, 128, 128, 128, 128] },
			curg: { bytes: 8, at: [192, 192, 192, 192, 192, 192, 192, 184, 184, 184, 184] },
			p: { bytes: 8, at: [208, 208, 208, 208, 208, 208, 208, 200, 200, 208, 208] },
			id: { bytes: 8, at: [232, 232, 232, 232, 232, 232, 232, 224, 224, 232, 232] },
		},
	},
	"runtime.maptype": {
		files: { "runtime/type.go": ["1.15", "1.19"] },
		size: [88, 88, null, null, null, null, null, null, null, null, null],
		fields: {
			typ: { bytes: 48, at: [0, 0, null, null, null, null, null, null, null, null, null] },
			key: { bytes: 8, at: [48, 48, null, null, null, null, null, null, null, null, null] },
			elem: { bytes: 8, at: [56, 56, null, null, null, null, null, null, null, null, null] },
			bucket: { bytes: 8, at: [64, 64, null, null, null, null, null, null, null, null, null] },
			hasher: { bytes: 8, at: [72, 72, null, null, null, null, null, null, null, null, null] },
			keysize: { bytes: 1, at: [80, 80, null, null, null, null, null, null, null, null, null] },
			elemsize: { bytes: 1, at: [81, 81, null, null, null, null, null, null, null, null, null] },
			bucketsize: { bytes: 2, at: [82, 82, null, null, null, null, null, null, null, null, null] },
			flags: { bytes: 4, at: [84, 84, null, null, null, null, null, null, null, null, null] },
		},
	},
	"runtime.moduledata": {
		files: { "runtime/symtab.go": LAYOUT_COLUMNS },
		size: [456, 552, 592, 592, 584, 584, 584, 584, 584, 592, 568],
		fields: {
			pcHeader: { bytes: 8, at: [null, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
			funcnametab: { bytes: 24, at: [null, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8] },
			cutab: { bytes: 24, at: [null, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32] },
			filetab: { bytes: 24, at: [48, 56, 56, 56, 56, 56, 56, 56, 56, 56, 56] },
			pctab: { bytes: 24, at: [null, 80, 80, 80, 80, 80, 80, 80, 80, 80, 80] },
			pclntable: { bytes: 24, at: [0, 104, 104, 104, 104, 104, 104, 104, 104, 104, 104] },
			ftab: { bytes: 24, at: [24, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128] },
			findfunctab: { bytes: 8, at: [72, 152, 152, 152, 152, 152, 152, 152, 152, 152, 152] },
			minpc: { bytes: 8, at: [80, 160, 160, 160, 160, 160, 160, 160, 160, 160, 160] },
			maxpc: { bytes: 8, at: [88, 168, 168, 168, 168, 168, 168, 168, 168, 168, 168] },
			text: { bytes: 8, at: [96, 176, 176, 176, 176, 176, 176, 176, 176, 176, 176] },
			etext: { bytes: 8, at: [104, 184, 184, 184, 184, 184, 184, 184, 184, 184, 184] },
			noptrdata: { bytes: 8, at: [112, 192, 192, 192, 192, 192, 192, 192, 192, 192, 192] },
			data: { bytes: 8, at: [128, 208, 208, 208, 208, 208, 208, 208, 208, 208, 208] },
			end: { bytes: 8, at: [176, 256, 272, 272, 272, 272, 272, 272, 272, 272, 272] },
			types: { bytes: 8, at: [200, 280, 296, 296, 296, 296, 296, 296, 296, 296, 296] },
			typedesclen: { bytes: 8, at: [null, null, null, null, null, null, null, null, null, null, 304] },
			etypes: { bytes: 8, at: [208, 288, 304, 304, 304, 304, 304, 304, 304, 304, 312] },
			itaboffset: { bytes: 8, at: [null, null, null, null, null, null, null, null, null, null, 320] },
			itabsize: { bytes: 8, at: [null, null, null, null, null, null, null, null, null, null, 328] },
			rodata: { bytes: 8, at: [null, 296, 312, 312, 312, 312, 312, 312, 312, 312, 336] },
			gofunc: { bytes: 8, at: [null, 304, 320, 320, 320, 320, 320, 320, 320, 320, 344] },
			epclntab: { bytes: 8, at: [null, null, null, null, null, null, null, null, null, 328, 352] },
			textsectmap: { bytes: 24, at: [216, 312, 328, 328, 328, 328, 328, 328, 328, 336, 360] },
			typelinks: { bytes: 24, at: [240, 336, 352, 352, 352, 352, 352, 352, 352, 360, null] },
			itablinks: { bytes: 24, at: [264, 360, 376, 376, 376, 376, 376, 376, 376, 384, null] },
			modulename: { bytes: 16, at: [352, 448, 488, 488, 488, 488, 488, 488, 488, 496, 472] },
			next: { bytes: 8, at: [448, 544, 584, 584, 576, 576, 576, 576, 576, 584, 560] },
		},
	},
	"runtime.p": {
		files: { "runtime/runtime2.go": LAYOUT_COLUMNS },
		size: [10216, 8912, 8912, 8944, 8944, 8952, 8952, 9512, 9512, 15920, 15920],
		fields: {
			id: { bytes: 4, at: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
			status: { bytes: 4, at: [4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4] },
			m: { bytes: 8, at: [56, 56, 56, 56, 48, 48, 48, 48, 48, 48, 48] },
		},
	},
	"runtime.sudog": {
		files: { "runtime/runtime2.go": LAYOUT_COLUMNS },
		size: [88, 88, 88, 88, 88, 88, 88, 88, 88, 104, 104],
		fields: {
			g: { bytes: 8, at: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
			"elem.vu": { bytes: 8, at: [null, null, null, null, null, null, null, null, null, 32, 32] },
			elem: { bytes: 8, at: [24, 24, 24, 24, 24, 24, 24, 24, 24, null, null] },
		},
	},
};
