/** The decoder's offsets are those of the C header, as a compiler lays it out. */
import { beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import {
	FAULT,
	GROWTH,
	MAX_FRAMES,
	MAX_SITES,
	RING_BYTES,
	SITE,
	SITE_COUNTS,
	WORK_KEY,
	WORK_ROWS,
} from "../../../src/kernel/wire.ts";
import { ROLE } from "../../../src/plan/probe-plan.ts";

const HEADER = resolve(import.meta.dir, "../../../bpf");

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Our name for a field -> the header's, where they differ by more than case. */
const FIELDS: Record<string, Record<string, number>> = {
	gmg_site: { ...SITE },
	gmg_site_counts: { ...SITE_COUNTS },
	gmg_work_key: { ...WORK_KEY },
	gmg_growth: { ...GROWTH },
};

const CONSTANTS: Record<string, number> = {
	GMG_MAX_SITES: MAX_SITES,
	GMG_MAX_FRAMES: MAX_FRAMES,
	GMG_WORK_ROWS: WORK_ROWS,
	GMG_RING_BYTES: RING_BYTES,
	GMG_HEADER_BYTES: GROWTH.headerBytes,
	GMG_TABLE_BYTES: GROWTH.tableBytes,
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
};

/** Compiles and runs a program that prints what the compiler thinks. */
function compiled(): Record<string, number> {
	const lines = [
		...Object.keys(CONSTANTS).map((name) => `printf("\\"${name}\\": %llu,", (unsigned long long)${name});`),
		...Object.entries(FIELDS).flatMap(([struct, fields]) => [
			`printf("\\"${struct}.size\\": %zu,", sizeof(struct ${struct}));`,
			...Object.keys(fields)
				.filter((field) => field !== "size" && !field.endsWith("Bytes"))
				.map((field) => `printf("\\"${struct}.${field}\\": %zu,", offsetof(struct ${struct}, ${snake(field)}));`),
		]),
	];
	const source = `#include <linux/types.h>
#include <stddef.h>
#include <stdio.h>
#include "gomapgrow.h"
int main(void) { printf("{"); ${lines.join("\n")} printf("\\"end\\": 0}\\n"); return 0; }`;
	const folder = mkdtempSync(join(tmpdir(), "gomapgrow-wire-"));
	try {
		writeFileSync(join(folder, "wire.c"), source);
		const build = Bun.spawnSync(["gcc", `-I${HEADER}`, "-o", join(folder, "wire"), join(folder, "wire.c")]);
		if (build.exitCode !== 0) throw new Error(build.stderr.toString());
		return JSON.parse(Bun.spawnSync([join(folder, "wire")]).stdout.toString());
	} finally {
		rmSync(folder, { recursive: true });
	}
}

describe("bpf/gomapgrow.h and src/kernel/wire.ts", () => {
	let c: Record<string, number>;
	beforeAll(() => {
		c = compiled();
	});

	test("constants agree", () => {
		for (const [name, value] of Object.entries(CONSTANTS)) expect({ [name]: value }).toEqual({ [name]: c[name] ?? -1 });
	});

	for (const [struct, fields] of Object.entries(FIELDS)) {
		test(`struct ${struct} agrees`, () => {
			for (const [field, offset] of Object.entries(fields)) {
				if (field.endsWith("Bytes")) continue;
				expect({ [field]: offset }).toEqual({ [field]: c[`${struct}.${field}`] ?? -1 });
			}
		});
	}
});
