/** The decoder's sizes, offsets and constants are those of the C headers, as a compiler lays them out; and there is none that it leaves out. */
import { beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ROLE } from "../../../src/gomap/functions.ts";
import {
	ADDRESS_KEY,
	ALWAYS,
	BUCKETS,
	CALL_ROWS,
	CERTAIN,
	EVENT,
	FAULT,
	FIRST_BUCKET_LOG2,
	FOLLOW_COUNT,
	FOLLOW_OFFSETS,
	FOLLOW_RING_BYTES,
	FOLLOWED,
	FOLLOWED_KIND,
	GOROUTINE,
	LATENCY_KEY,
	LATENCY_ROW,
	LEFT,
	MACHINE,
	MADE,
	MAKE_KEY,
	MAKE_ROW,
	MAKE_ROWS,
	MAKE_WINDOW,
	MAX_FRAMES,
	MAX_SITES,
	MAX_WRAPPERS,
	MEMBER,
	NO_MAP,
	NO_SLOT,
	NO_WRAPPERS,
	OPTIONS,
	RECORD,
	RING_BYTES,
	ROW,
	ROW_KEY,
	SETTINGS,
	SHAPE,
	SHORT_FRAMES,
	SITE,
	SITE_COUNTS,
	SLOTS,
	WRAPPER_RANGES,
	WRAPPERS,
} from "../../../src/kernel/wire.ts";

const FOLDER = resolve(import.meta.dir, "../../../bpf");
const HEADER = readFileSync(join(FOLDER, "gomapgrow.h"), "utf8");

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** A structure of C and what the decoder has of it: our name of a field -> its offset. */
interface Struct {
	struct: string;
	size: number;
	fields: Record<string, number>;
	/** Our name of a field -> its path in C, where that is not the same name. */
	paths?: Record<string, string>;
	/** Fields that only the kernel programs read. */
	theirs?: string[];
}

function whole(
	struct: string,
	{ size, ...fields }: { size: number } & Record<string, number>,
	extra: Partial<Struct> = {},
) {
	return { struct, size, fields, ...extra };
}

const { headerBytes, tableBytes, frames: _frames, ...eventFields } = EVENT;
const { fileBytes, ...followedFields } = FOLLOWED;
const { expected, reported, ...memberFields } = MEMBER;
/** Members of the union in gmg_event_head -> our name of a field -> its name there, when that is another one. */
const UNION: Record<string, Record<string, string>> = {
	growth: {
		parentGoid: "",
		gopc: "",
		startpc: "",
		map: "",
		sequence: "",
		growthChance: "chance",
		header: "",
		table: "",
		madeNs: "",
		madeBy: "",
		madeHint: "",
	},
	work: { durationNs: "", chance: "" },
	step: { seed: "", begunNs: "", seen: "", stepSequence: "sequence" },
};

const STRUCTS: Struct[] = [
	whole("gmg_site", SITE),
	whole("gmg_site_counts", SITE_COUNTS),
	whole("gmg_wrappers", WRAPPERS),
	whole("gmg_row_key", ROW_KEY),
	whole("gmg_row", ROW),
	whole("gmg_make_key", MAKE_KEY),
	whole("gmg_make_row", MAKE_ROW),
	whole("gmg_latency_key", LATENCY_KEY),
	whole("gmg_latency_row", LATENCY_ROW),
	whole("gmg_options", OPTIONS),
	whole("gmg_settings", SETTINGS),
	whole("gmg_left", LEFT),
	whole(
		"gmg_event",
		{ ...eventFields, frames: EVENT.frames },
		{
			paths: Object.fromEntries([
				...Object.keys(eventFields).map((field) => [field, `head.${snake(field)}`]),
				...Object.entries(UNION).flatMap(([member, fields]) =>
					Object.entries(fields).map(([field, theirs]) => [field, `head.u.${member}.${theirs || snake(field)}`]),
				),
				["frames", "frames"],
			]),
		},
	),
	whole("address_key", ADDRESS_KEY),
	whole("gmg_follow_offsets", FOLLOW_OFFSETS),
	whole("gmg_followed", followedFields),
	whole("member", memberFields),
	{
		struct: "goroutine",
		size: GOROUTINE.size,
		fields: { begunNs: GOROUTINE.begunNs },
		paths: { begunNs: "calls[0].begun_ns" },
	},
];

/** Expressions of C and what the decoder takes them for. */
const EXPRESSIONS: Record<string, number> = {
	"sizeof(struct call)": GOROUTINE.callSize,
	"sizeof(struct goroutine_key)": GOROUTINE.keySize,
	"offsetof(struct goroutine, calls[1].begun_ns)": GOROUTINE.callSize + GOROUTINE.begunNs,
	"sizeof(struct gmg_event_head)": EVENT.frames,
	"sizeof(((struct gmg_event *)0)->head.u.growth.header)": EVENT.headerBytes,
	"sizeof(((struct gmg_event *)0)->head.u.growth.table)": EVENT.tableBytes,
	"sizeof(((struct gmg_event *)0)->frames) / 8": MAX_FRAMES,
	"sizeof(struct gmg_file)": fileBytes,
	MEMBER_EXPECTED: expected,
	MEMBER_REPORTED: reported,
	// All kinds of records are told apart by their first word.
	"offsetof(struct gmg_event, head.kind)": 0,
	"offsetof(struct gmg_left, kind)": 0,
	"offsetof(struct goroutine_key, tgid)": 8,
	"sizeof(((struct gmg_latency_row *)0)->buckets) / 8": BUCKETS,
	// A short record is an event that ends after so many frames (SHORT_EVENT of events.h).
	"sizeof(struct gmg_event) - (GMG_MAX_FRAMES - GMG_SHORT_FRAMES) * sizeof(__u64)": EVENT.frames + 8 * SHORT_FRAMES,
};

const CONSTANTS: Record<string, number> = {
	GMG_MAX_SITES: MAX_SITES,
	GMG_MAX_FRAMES: MAX_FRAMES,
	GMG_SHORT_FRAMES: SHORT_FRAMES,
	GMG_RING_BYTES: RING_BYTES,
	GMG_HEADER_BYTES: headerBytes,
	GMG_TABLE_BYTES: tableBytes,
	GMG_SLOTS: SLOTS,
	GMG_NO_SLOT: NO_SLOT,
	GMG_ALWAYS: ALWAYS,
	GMG_NO_WRAPPERS: NO_WRAPPERS,
	GMG_MAX_WRAPPERS: MAX_WRAPPERS,
	GMG_WRAPPER_RANGES: WRAPPER_RANGES,
	GMG_CALL_ROWS: CALL_ROWS,
	GMG_SHAPE_SIZE: SHAPE.size,
	GMG_SHAPE_SAME_SIZE: SHAPE.sameSize,
	GMG_SHAPE_ITERATING: SHAPE.iterating,
	GMG_SHAPE_UNREADABLE: SHAPE.unreadable,
	GMG_SHAPE_WINDOW: SHAPE.window,
	GMG_NO_MAP: NO_MAP,
	GMG_BUCKETS: BUCKETS,
	GMG_FIRST_BUCKET_LOG2: FIRST_BUCKET_LOG2,
	GMG_MACHINE_X86_64: MACHINE.amd64,
	GMG_MACHINE_ARM64: MACHINE.arm64,
	GMG_CERTAIN: CERTAIN,
	GMG_RECORD_GROWTH: RECORD.growth,
	GMG_RECORD_LEFT: RECORD.left,
	GMG_RECORD_WORK: RECORD.work,
	GMG_RECORD_STEP: RECORD.step,
	GMG_FOLLOWED_FORK: FOLLOWED_KIND.fork,
	GMG_FOLLOWED_EXEC: FOLLOWED_KIND.exec,
	GMG_FOLLOWED_EXIT: FOLLOWED_KIND.exit,
	GMG_FOLLOW_EXECUTED: FOLLOW_COUNT.executed,
	GMG_FOLLOW_LOST: FOLLOW_COUNT.lost,
	GMG_FOLLOW_UNTRACKED: FOLLOW_COUNT.untracked,
	GMG_FOLLOW_RING_BYTES: FOLLOW_RING_BYTES,
	GMG_FAULT_HEADER: FAULT.header,
	GMG_FAULT_TABLE: FAULT.table,
	GMG_FAULT_G: FAULT.g,
	GMG_ROLE_HASH_GROW: ROLE.hashGrow,
	GMG_ROLE_GROW_TO_TABLE: ROLE.growToTable,
	GMG_ROLE_REHASH: ROLE.rehash,
	GMG_ROLE_GROW_WORK: ROLE.growWork,
	GMG_ROLE_EVACUATE: ROLE.evacuate,
	GMG_ROLE_GROW: ROLE.grow,
	GMG_ROLE_SPLIT: ROLE.split,
	GMG_ROLE_PRUNE: ROLE.pruneTombstones,
	GMG_ROLE_ITER_START: ROLE.iterStart,
	GMG_ROLE_ITER_INIT: ROLE.iterInit,
	GMG_ROLE_ITER_NEXT: ROLE.iterNext,
	GMG_ROLE_COUNT: ROLE.count,
	GMG_ROLE_MAKE_SMALL: ROLE.makeSmall,
	GMG_ROLE_MAKE: ROLE.make,
	GMG_ROLE_COLLECT: ROLE.collect,
	GMG_MAKE_ROWS: MAKE_ROWS,
	GMG_MADE: MADE.made,
	GMG_MADE_ON_STACK: MADE.onStack,
	GMG_SIZE: MADE.size,
	GMG_OUTGREW: MADE.outgrew,
	GMG_GREW: MADE.grew,
	GMG_GROWTH: MADE.growth,
	GMG_UNLINKED: MADE.unlinked,
	GMG_MAKE_WINDOW: MAKE_WINDOW,
};

/** What only the kernel programs need: how big their tables are, and how far they look. */
const THEIR_CONSTANTS = [
	"GMG_C_FRAMES",
	"GMG_CLASS_PARTS_LOG2",
	"GMG_COLLECTED",
	"GMG_LAST_MADE",
	"GMG_ORIGINS",
	"GMG_FOLLOW_COUNTS",
	"GMG_HELD",
	"GMG_OTHER_FILES",
	"GMG_TREE",
	"GMG_GOROUTINES",
	"GMG_GROWN_MAPS",
	"GMG_ITERATORS",
	"GMG_LATENCY_ROWS",
	"GMG_LOWEST_CODE",
	"GMG_ROLE_NONE",
	"GMG_LAST_BUCKET_LOG2",
	"GMG_PARTS_LOG2",
];

const pathOf = ({ paths = {} }: Struct, field: string): string => paths[field] ?? snake(field);

/** Compiles and runs a program that prints what the compiler thinks. The maps are declared with libbpf's macros, which only mean something for BPF. */
function compiled(): Record<string, number> {
	const expressions = [
		...Object.keys(CONSTANTS),
		...Object.keys(EXPRESSIONS),
		...STRUCTS.flatMap((one) => [
			`sizeof(struct ${one.struct})`,
			...Object.keys(one.fields).map((field) => `offsetof(struct ${one.struct}, ${pathOf(one, field)})`),
		]),
	];
	const source = `#include <linux/types.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdio.h>
#define SEC(name)
#define __uint(name, value) int (*name)[value]
#define __type(name, value) value *name
#include "gomapgrow.h"
#include "maps.h"
int main(void) {
${expressions.map((text) => `printf("%s\\t%llu\\n", ${JSON.stringify(text)}, (unsigned long long)(${text}));`).join("\n")}
return 0; }`;
	const folder = mkdtempSync(join(tmpdir(), "gomapgrow-wire-"));
	try {
		writeFileSync(join(folder, "wire.c"), source);
		const build = Bun.spawnSync(["gcc", `-I${FOLDER}`, "-o", join(folder, "wire"), join(folder, "wire.c")]);
		if (build.exitCode !== 0) throw new Error(build.stderr.toString());
		const lines = Bun.spawnSync([join(folder, "wire")])
			.stdout.toString()
			.trim()
			.split("\n");
		return Object.fromEntries(lines.map((line) => line.split("\t")).map(([text = "", value]) => [text, Number(value)]));
	} finally {
		rmSync(folder, { recursive: true });
	}
}

const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, "");

/** Names of the fields of a structure as the header has them, those of structures and unions inside included. */
function fieldsInHeader(struct: string): string[] {
	const code = withoutComments(HEADER);
	const start = code.indexOf(`struct ${struct} {`);
	if (start < 0) throw new Error(`no struct ${struct}`);
	let depth = 0;
	let end = code.indexOf("{", start);
	do {
		depth += Number(code[end] === "{") - Number(code[end] === "}");
		end++;
	} while (depth > 0);
	return [
		...code.slice(start, end).matchAll(/^\s*(?:(?:__[us]\d+|struct gmg_\w+) (\w+)(?:\[\w+\])?|\} (\w+)\[\w+\]);/gm),
	].map((match) => match[1] ?? match[2] ?? "");
}

describe("bpf/gomapgrow.h, bpf/maps.h and src/kernel/wire.ts", () => {
	let c: Record<string, number>;
	beforeAll(() => {
		c = compiled();
	});

	test("constants agree", () => {
		for (const [name, value] of Object.entries(CONSTANTS)) expect({ [name]: c[name] }).toEqual({ [name]: value });
	});

	test("all constants of the header are compared", () => {
		const code = withoutComments(HEADER);
		const defined = [...code.matchAll(/^#define (GMG_\w+) /gm)].map((match) => match[1]);
		const numbered = [...code.matchAll(/^\t(GMG_\w+) = /gm)].map((match) => match[1]);
		expect([...defined, ...numbered].sort() as string[]).toEqual(
			[...Object.keys(CONSTANTS), ...THEIR_CONSTANTS].sort(),
		);
	});

	test("roles are told apart", () => {
		expect(new Set(Object.values(ROLE)).size).toBe(Object.keys(ROLE).length);
		const compared = Object.entries(CONSTANTS).filter(([name]) => name.startsWith("GMG_ROLE_"));
		expect(compared.map(([, role]) => role).sort()).toEqual(Object.values(ROLE).sort() as number[]);
	});

	test("sizes and places that follow from others agree", () => {
		for (const [text, value] of Object.entries(EXPRESSIONS)) expect({ [text]: c[text] }).toEqual({ [text]: value });
	});

	for (const one of STRUCTS) {
		test(`struct ${one.struct} agrees`, () => {
			expect(c[`sizeof(struct ${one.struct})`]).toBe(one.size);
			for (const [field, offset] of Object.entries(one.fields)) {
				expect({ [field]: c[`offsetof(struct ${one.struct}, ${pathOf(one, field)})`] }).toEqual({ [field]: offset });
			}
		});
	}

	test("all structures of the header are compared, with all of their fields", () => {
		const structs = [...withoutComments(HEADER).matchAll(/^struct (\w+) \{/gm)].map((match) => match[1]);
		const compared = STRUCTS.map(({ struct }) => struct).filter((struct) => struct.startsWith("gmg_"));
		expect(structs.sort() as string[]).toEqual([...compared, "gmg_event_head", "gmg_file"].sort());
		for (const one of STRUCTS.filter(({ struct }) => struct.startsWith("gmg_"))) {
			const { struct, fields } = one;
			const theirs = struct === "gmg_event" ? [...fieldsInHeader("gmg_event_head"), "frames"] : fieldsInHeader(struct);
			const known = new Set(Object.keys(fields).map((field) => pathOf(one, field).replace(/^.*\./, "")));
			expect(theirs.length).toBeGreaterThan(0);
			expect(theirs.filter((field) => !/^pad\d?$/.test(field) && !known.has(field))).toEqual([]);
			expect([...known].filter((field) => !theirs.includes(field))).toEqual([]);
		}
	});
});
