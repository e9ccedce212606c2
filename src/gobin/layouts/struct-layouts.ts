/**
 * The structures of the Go runtime that the tool looks into, and which of their fields. Where a structure was renamed there are
 * several spellings: the first that a source has with all its fields is taken.
 */
import type { LayoutSource } from "./source.ts";

/** internal/abi/type.go, type Type (before 1.21 runtime/type.go, type _type): the same in all versions. */
export const TYPE_LAYOUT = { bytes: 48, tflag: 20, kind: 23, str: 40 } as const;

interface Spelling<Member extends string> {
	/** Full name of the structure. */
	readonly struct: string;
	/** Our member -> path of the field; the empty path stands for the structure's size. */
	readonly fields: Readonly<Record<Member, string>>;
	/** Members that some releases do not have. */
	readonly optional?: Readonly<Record<string, string>>;
}

type Offsets<Member extends string> = Readonly<Record<Member, number>>;

const G = {
	struct: "runtime.g",
	fields: {
		...{ stackLo: "stack.lo", stackHi: "stack.hi", m: "m" },
		...{ schedSp: "sched.sp", schedPc: "sched.pc", schedBp: "sched.bp" },
		...{ syscallsp: "syscallsp", syscallpc: "syscallpc", waitsince: "waitsince", waitreason: "waitreason" },
		...{ atomicstatus: "atomicstatus", goid: "goid", gopc: "gopc", startpc: "startpc" },
	},
	optional: { parentGoid: "parentGoid", trackingSeq: "trackingSeq" },
} as const;
/**
 * gopc: pc of the go statement that made the goroutine; startpc: entry of its function; parentGoid: 1.21+. trackingSeq (1.17+): a
 * byte that is incremented whenever the goroutine stops running (runtime/proc.go, casgstatus).
 */
export type GLayout = Offsets<keyof typeof G.fields> & {
	readonly parentGoid?: number;
	readonly trackingSeq?: number;
};

const M = { struct: "runtime.m", fields: { g0: "g0", procid: "procid", gsignal: "gsignal", curg: "curg" } } as const;
/** procid: the thread id. */
export type MLayout = Offsets<keyof typeof M.fields>;

type SudogMember = "g" | "elem";
/** elem of a goroutine that waits for a semaphore: the semaphore's address (runtime/sema.go, queue). */
export type SudogLayout = Offsets<SudogMember>;
const SUDOG: readonly Spelling<SudogMember>[] = [
	// 1.26+: a structure whose word vu is the source of truth.
	{ struct: "runtime.sudog", fields: { g: "g", elem: "elem.vu" } },
	{ struct: "runtime.sudog", fields: { g: "g", elem: "elem" } },
];

const HMAP = {
	struct: "runtime.hmap",
	fields: {
		...{ bytes: "", count: "count", flags: "flags", B: "B", noverflow: "noverflow", hash0: "hash0" },
		...{ buckets: "buckets", oldbuckets: "oldbuckets", nevacuate: "nevacuate", extra: "extra" },
	},
} as const;
export type HmapLayout = Offsets<keyof typeof HMAP.fields>;

/** An iterator of a classic map; key is nil at its end. */
const HITER = {
	struct: "runtime.hiter",
	fields: { bytes: "", key: "key", type: "t", map: "h", buckets: "buckets", B: "B" },
} as const;
export type HiterLayout = Offsets<keyof typeof HITER.fields>;

/** An iterator of a swiss map; key is nil at its end. */
const SWISS_ITER = {
	struct: "internal/runtime/maps.Iter",
	fields: {
		...{ bytes: "", key: "key", type: "typ", map: "m" },
		...{ clearSeq: "clearSeq", globalDepth: "globalDepth", dirIdx: "dirIdx" },
	},
} as const;
export type SwissIterLayout = Offsets<keyof typeof SWISS_ITER.fields>;

const SWISS_MAP = {
	struct: "internal/runtime/maps.Map",
	fields: {
		...{ bytes: "", used: "used", seed: "seed", dirPtr: "dirPtr", dirLen: "dirLen" },
		...{ globalDepth: "globalDepth", globalShift: "globalShift", writing: "writing", clearSeq: "clearSeq" },
	},
} as const;
export type SwissMapLayout = Offsets<keyof typeof SWISS_MAP.fields>;

const SWISS_TABLE = {
	struct: "internal/runtime/maps.table",
	fields: {
		...{ bytes: "", used: "used", capacity: "capacity", growthLeft: "growthLeft", localDepth: "localDepth" },
		...{ index: "index", groupsData: "groups.data", groupsLengthMask: "groups.lengthMask" },
	},
} as const;
export type SwissTableLayout = Offsets<keyof typeof SWISS_TABLE.fields>;

type ClassicMapTypeMember = "bytes" | "key" | "elem" | "keySize" | "elemSize" | "bucketSize" | "flags";
export type ClassicMapTypeLayout = Offsets<ClassicMapTypeMember>;
const CLASSIC_MAP_TYPE_FIELDS = {
	...{ bytes: "", key: "Key", elem: "Elem", keySize: "KeySize", elemSize: "ValueSize" },
	...{ bucketSize: "BucketSize", flags: "Flags" },
};
const CLASSIC_MAP_TYPE: readonly Spelling<ClassicMapTypeMember>[] = [
	{
		struct: "runtime.maptype",
		fields: {
			...{ bytes: "", key: "key", elem: "elem", keySize: "keysize", elemSize: "elemsize" },
			...{ bucketSize: "bucketsize", flags: "flags" },
		},
	},
	{ struct: "internal/abi.OldMapType", fields: CLASSIC_MAP_TYPE_FIELDS },
	{ struct: "internal/abi.MapType", fields: CLASSIC_MAP_TYPE_FIELDS },
];

type SwissMapTypeMember = "bytes" | "key" | "elem" | "groupSize" | "slotSize" | "flags";
/** slotSize: distance of two slots; 1.27 has a distance for keys and one for elements, equal while slots are interleaved. */
export type SwissMapTypeLayout = Offsets<SwissMapTypeMember>;
const swissMapType = (struct: string, slotSize: string): Spelling<SwissMapTypeMember> => {
	return { struct, fields: { bytes: "", key: "Key", elem: "Elem", groupSize: "GroupSize", slotSize, flags: "Flags" } };
};
const SWISS_MAP_TYPE: readonly Spelling<SwissMapTypeMember>[] = [
	swissMapType("internal/abi.SwissMapType", "SlotSize"),
	swissMapType("internal/abi.MapType", "SlotSize"),
	swissMapType("internal/abi.MapType", "KeyStride"),
];

const MODULE_DATA = {
	struct: "runtime.moduledata",
	fields: {
		...{ bytes: "", ftab: "ftab", minpc: "minpc", maxpc: "maxpc", text: "text", etext: "etext" },
		...{ types: "types", etypes: "etypes" },
	},
	optional: { gofunc: "gofunc" },
} as const;
/** ftab: a slice; gofunc: 1.18+. */
export type ModuleDataLayout = Offsets<keyof typeof MODULE_DATA.fields> & { readonly gofunc?: number };

/** Byte offsets; a structure is absent when the program cannot have it or nothing trustworthy says how it looks. */
export interface StructLayouts {
	readonly g?: GLayout;
	readonly m?: MLayout;
	readonly sudog?: SudogLayout;
	readonly hmap?: HmapLayout;
	readonly hiter?: HiterLayout;
	readonly classicMapType?: ClassicMapTypeLayout;
	readonly swissMap?: SwissMapLayout;
	readonly swissIter?: SwissIterLayout;
	readonly swissTable?: SwissTableLayout;
	readonly swissMapType?: SwissMapTypeLayout;
	readonly moduleData?: ModuleDataLayout;
}

const VIEWS = {
	g: [G],
	m: [M],
	sudog: SUDOG,
	hmap: [HMAP],
	hiter: [HITER],
	classicMapType: CLASSIC_MAP_TYPE,
	swissMap: [SWISS_MAP],
	swissIter: [SWISS_ITER],
	swissTable: [SWISS_TABLE],
	swissMapType: SWISS_MAP_TYPE,
	moduleData: [MODULE_DATA],
} as const satisfies Record<keyof StructLayouts, readonly Spelling<string>[]>;

export type StructName = keyof typeof VIEWS;
const STRUCT_NAMES = Object.keys(VIEWS) as StructName[];

/** All names under which the structures may go. */
export const SPELLED_STRUCTS: readonly string[] = [
	...new Set(STRUCT_NAMES.flatMap((name) => VIEWS[name].map(({ struct }) => struct))),
];

/** What a source says about the structures; those that it does not have, or not with all fields, are absent. */
export function structLayouts(source: LayoutSource): StructLayouts {
	const entries = STRUCT_NAMES.flatMap((name) => {
		const fields = fieldsOf(source, name);
		return fields === undefined
			? []
			: [[name, Object.fromEntries(fields.map(({ member, offset }) => [member, offset]))] as const];
	});
	return Object.fromEntries(entries) as StructLayouts;
}

/** A field of one of the structures. */
export interface FieldOffset {
	member: string;
	struct: string;
	/** The empty path stands for the structure's size. */
	path: string;
	/** Bytes. */
	offset: number;
}

/** The fields of a structure by the first spelling that the source has. */
export function fieldsOf(source: LayoutSource, name: StructName): FieldOffset[] | undefined {
	for (const spelling of VIEWS[name] as readonly Spelling<string>[]) {
		const fields: FieldOffset[] = [];
		const { struct, optional } = spelling;
		const add = ([member, path]: [string, string]): boolean => {
			const offset = source.at(struct, path);
			return offset !== undefined && fields.push({ member, struct, path, offset }) > 0;
		};
		if (Object.entries(spelling.fields).every(add)) {
			Object.entries(optional ?? {}).forEach(add);
			return fields;
		}
	}
	return undefined;
}
