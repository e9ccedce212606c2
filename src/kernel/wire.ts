/**
 * The TypeScript side of bpf/gomapgrow.h and bpf/maps.h: sizes, offsets and constants of everything that crosses the border to the kernel programs. A
 * test compiles the headers and compares.
 */

export const MAX_SITES = 1024;
export const MAX_FRAMES = 127;
export const SHORT_FRAMES = 24;
export const RING_BYTES = 8 << 20;
export const SLOTS = 9;
export const NO_SLOT = 255;
/** No condition: every pass leaves the function. */
export const ALWAYS = 255;

/** struct gmg_site */
export const SITE = {
	...{ size: 104, role: 0, entry: 4, outerEntry: 8, chance: 12, goid: 16, parentGoid: 18, gopc: 20, startpc: 22 },
	...{ curg: 24, cgoGap: 26, fsOffset: 28, argsOnStack: 32, gInRcx: 33, callerDepth: 34, slot: 35, outerSlot: 36 },
	...{ condition: 37, leavesTaken: 38, handsOver: 39, framePointer: 40, seed: 41, readsFlags: 42, alwaysEnters: 43 },
	...{ ownStackOnly: 44, loadFactor: 45, mapAt: 46, sinceNs: 48, openNs: 56, closeNs: 72, address: 88, wrappers: 96 },
	...{ hintAt: 100, typeAt: 102 },
} as const;
export const NO_WRAPPERS = 0xffffffff;
export const NO_MAP = 0xffff;
/** struct gmg_wrappers: pairs of from and to. */
export const WRAPPERS = { size: 256, ranges: 0 } as const;
export const WRAPPER_RANGES = 16;
/** Executables whose wrapper ranges find room. */
export const MAX_WRAPPERS = 256;

/** struct gmg_site_counts, per CPU. */
export const SITE_COUNTS = {
	...{ size: 104, lost: 0, fault: 8, diverted: 16, paired: 24, left: 32, picked: 40, throttled: 48, sampleLost: 56 },
	...{ rowLost: 64, outside: 72, begun: 80, withdrawn: 88, hits: 96 },
} as const;

/** struct gmg_row_key and struct gmg_row, which is per CPU. */
export const ROW_KEY = { size: 32, site: 0, tgid: 4, mapType: 8, caller: 16, shape: 24 } as const;
export const ROW = { size: 48, calls: 0, entries: 8, timed: 16, elapsedNs: 24, onCpu: 32, cpuNs: 40 } as const;
export const CALL_ROWS = 32_768;
/** GMG_SHAPE_…: bits of a shape. */
export const SHAPE = { size: 0xff, sameSize: 0x100, iterating: 0x200, unreadable: 0x400, window: 0x10000 } as const;

/** struct gmg_make_key and struct gmg_make_row. */
export const MAKE_KEY = {
	...{ size: 40, site: 0, tgid: 4, mapType: 8, caller: 16, via: 24, what: 32, number: 36 },
} as const;
export const MAKE_ROW = { size: 16, maps: 0, sum: 8 } as const;
export const MAKE_ROWS = 32_768;
/** What a row of makes counts, and the bit of the second window. */
export const MADE = { made: 1, onStack: 2, size: 3, outgrew: 4, grew: 5, growth: 6, unlinked: 7 } as const;
export const MAKE_WINDOW = 0x100;

/** struct gmg_latency_key and struct gmg_latency_row. */
export const LATENCY_KEY = { size: 16, site: 0, tgid: 4, mapType: 8 } as const;
export const LATENCY_ROW = { size: 3360, sumNs: 0, maxNs: 8, buckets: 16 } as const;
/** Bucket 0: below 64 ns; then 16 equal parts of each power of two; the last one from 2^32 ns on. */
export const BUCKETS = 418;
export const FIRST_BUCKET_LOG2 = 6;

/** struct gmg_options and struct gmg_settings */
export const OPTIONS = {
	...{ size: 48, machine: 0, siteByAddress: 4, iterations: 8, fsBase: 12, pidNamespace: 16, sumExecRuntime: 20 },
	...{ execStart: 24, makes: 28, pidNamespaceDevice: 32, follows: 40 },
} as const;
export const MACHINE = { amd64: 0, arm64: 1 } as const;
/** A chance that is no chance. */
export const CERTAIN = 0xffffffff;
export const SETTINGS = { size: 24, slowNs: 0, sampleRoom: 8, sampleChance: 16, highWater: 20 } as const;

/** struct address_key and struct goroutine of bpf/maps.h; begunNs of the first call. */
export const ADDRESS_KEY = { size: 16, ip: 0, tgid: 8 } as const;
export const GOROUTINE = { size: 576, keySize: 16, callSize: 64, begunNs: 0 } as const;

/** Of enum gmg_role: what the calibration passes its functions off as, growWork and hashGrow. */
export const CALIBRATED_ROLE = { work: 4, growth: 1 } as const;

/** enum gmg_record */
export const RECORD = { growth: 1, left: 2, work: 3, step: 4 } as const;

/** struct gmg_event */
export const EVENT = {
	...{ size: 1208, kind: 0, site: 4, timeNs: 8, g: 16, goid: 24, ip: 32, mapType: 40, tgid: 48, tid: 52 },
	...{ frameCount: 56, truncated: 58, fault: 59, slow: 60, iterating: 61, onStack: 62 },
	...{
		parentGoid: 64,
		gopc: 72,
		startpc: 80,
		map: 88,
		sequence: 96,
		growthChance: 100,
		header: 104,
		headerBytes: 48,
		table: 152,
		tableBytes: 16,
		madeNs: 168,
		madeBy: 176,
		madeHint: 184,
	},
	...{ durationNs: 64, chance: 72 },
	...{ seed: 64, begunNs: 72, seen: 80, stepSequence: 88 },
	frames: 192,
} as const;

/** struct gmg_left */
export const LEFT = { size: 40, kind: 0, tgid: 4, g: 8, begunNs: 16, durationNs: 24, site: 32 } as const;

/** struct gmg_follow_offsets */
export const FOLLOW_OFFSETS = {
	...{ size: 64, taskTgid: 0, taskExitCode: 4, taskSignal: 8, signalLive: 12, signalFlags: 16 },
	...{ signalGroupExitCode: 20, binprmFile: 24, fileInode: 28, inodeSb: 32, sbDev: 36, inodeIno: 40 },
	...{ inodeGeneration: 44, inodeSize: 48, inodeMtime: 52, inodeMtimeNs: 56 },
} as const;
/** struct gmg_followed; its file is a struct gmg_file. */
export const FOLLOWED = {
	...{ size: 72, kind: 0, tgid: 4, tree: 8, parent: 12, timeNs: 16, status: 24, hasStatus: 28, held: 29, other: 30 },
	...{ file: 32, fileBytes: 40 },
} as const;
/** enum gmg_followed_kind */
export const FOLLOWED_KIND = { fork: 1, exec: 2, exit: 3 } as const;
/** enum gmg_follow_count */
export const FOLLOW_COUNT = { executed: 0, lost: 1, untracked: 2 } as const;
export const FOLLOW_RING_BYTES = 256 << 10;
/** struct member of bpf/maps.h; expected: MEMBER_EXPECTED, of its flags. */
export const MEMBER = { size: 12, base: 0, file: 4, flags: 8, expected: 1, reported: 2 } as const;

export const FAULT = { header: 1, table: 2, g: 4 } as const;

/** A u64 as a number: exact below 2^53 (user-space addresses, counts, nanoseconds of uptime); larger values round. */
export function readU64(view: DataView, offset: number): number {
	return view.getUint32(offset, true) + view.getUint32(offset + 4, true) * 2 ** 32;
}
