/** The committed layout table and the reader, against every Go toolchain, readelf, and values written down before it. */
import { describe, expect, test } from "bun:test";
import { buildProgram, COLUMNS, hasToolchain, measure, openDwarf } from "../../../build/layouts.ts";
import { LAYOUT_COLUMNS, LAYOUT_TABLE, type LayoutColumn } from "../../../src/gobin/layouts/table.generated.ts";
import { missingCommands, testWith } from "../../support/capability.ts";

const missingToolchain = (column: string) =>
	hasToolchain(column) ? undefined : `no toolchain of Go ${column} (make toolchains)`;

/** A column of the committed table: structure -> its file, size, and fields as [offset, size]. */
function committed(column: LayoutColumn): Record<string, unknown> {
	const index = LAYOUT_COLUMNS.indexOf(column);
	const structs: Record<string, unknown> = {};
	for (const [name, table] of Object.entries(LAYOUT_TABLE)) {
		const size = table.size[index];
		if (typeof size !== "number") continue;
		const file = Object.entries(table.files).find(([, columns]) => columns.includes(column))?.[0];
		const fields = Object.entries(table.fields).filter(([, { at }]) => typeof at[index] === "number");
		structs[name] = {
			file,
			size,
			fields: Object.fromEntries(fields.map(([path, { bytes, at }]) => [path, [at[index], bytes]])),
		};
	}
	return structs;
}

test("the table has a column for everything that is built", () => {
	expect<readonly string[]>(LAYOUT_COLUMNS).toEqual(COLUMNS);
	for (const table of Object.values(LAYOUT_TABLE)) {
		const rows = [table.size, ...Object.values(table.fields).map(({ at }) => at)];
		expect(rows.map(({ length }) => length)).toEqual(rows.map(() => COLUMNS.length));
	}
});

describe.each([...LAYOUT_COLUMNS])("Go %s", (column) => {
	testWith(missingToolchain(column))(
		"the committed layouts are those of the toolchain's DWARF",
		() => {
			const measured: Record<string, unknown> = {};
			for (const [name, { file, size, fields }] of measure(column)) {
				const pairs = [...fields].map(([path, field]) => [path, [field.offset, field.size]]);
				measured[name] = { file, size, fields: Object.fromEntries(pairs) };
			}
			expect(measured).toEqual(committed(column));
		},
		300_000,
	);

	testWith(missingToolchain(column), missingCommands("readelf"))(
		"all structures of the program are as readelf prints them",
		() => {
			const program = buildProgram(column);
			const wanted = readelfStructs(program);
			const layouts = openDwarf(program).structLayouts([...wanted.keys()]);
			expect(wanted.size).toBeGreaterThan(200);
			const found = [...layouts].map(([name, { size, fields }]) => {
				return [name, { size, fields: [...fields].map(([field, { offset }]) => `${field} ${offset}`) }] as const;
			});
			expect(Object.fromEntries(found)).toEqual(Object.fromEntries(wanted));
		},
		300_000,
	);
});

/** Structures by name, as `readelf --debug-dump=info` shows them; of equal names the first. */
function readelfStructs(program: string): Map<string, { size: number; fields: string[] }> {
	const dump = Bun.spawnSync(["readelf", "--debug-dump=info", program], { stderr: "ignore" }).stdout.toString();
	const structs = new Map<string, { size: number; fields: string[] }>();
	for (const block of dump.split(/\n <1>/)) {
		const [head = "", ...members] = block.split(/\n <2>/);
		if (!head.includes("(DW_TAG_structure_type)")) continue;
		const name = attribute(head, "DW_AT_name");
		const size = attribute(head, "DW_AT_byte_size");
		if (name === undefined || size === undefined || structs.has(name)) continue;
		const fields = new Map<string, string>();
		for (const member of members.filter((text) => text.includes("(DW_TAG_member)"))) {
			const field = attribute(member, "DW_AT_name") ?? "";
			if (!fields.has(field)) fields.set(field, `${field} ${attribute(member, "DW_AT_data_member_location")}`);
		}
		structs.set(name, { size: Number(size), fields: [...fields.values()] });
	}
	return structs;
}

function attribute(text: string, name: string): string | undefined {
	return new RegExp(` ${name} *: (?:\\(indirect string, offset: 0x[0-9a-f]+\\): )?([^\\n]*)`)
		.exec(text)?.[1]
		?.trimEnd();
}

// Found by another DWARF reader in programs of the same releases; not taken from the table.
test.each<[struct: string, path: string, offsets: (number | null)[]]>([
	["runtime.g", "goid", [152, 152, 152, 152, 160, 160, 160, 152, 152, 152, 152]],
	["runtime.g", "stack.hi", [8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8]],
	["runtime.g", "sched.pc", [64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64]],
	["runtime.g", "parentGoid", [null, null, 272, 272, 280, 280, 280, 272, 272, 280, 280]],
	["runtime.m", "procid", [72, 72, 72, 72, 72, 72, 72, 64, 64, 64, 64]],
	["runtime.m", "curg", [192, 192, 192, 192, 192, 192, 192, 184, 184, 184, 184]],
	["runtime.hmap", "B", [9, 9, 9, 9, 9, null, 9, null, 9, null, null]],
	["runtime.hmap", "extra", [40, 40, 40, 40, 40, null, 48, null, 48, null, null]],
	["internal/runtime/maps.table", "groups.lengthMask", [null, null, null, null, null, 24, null, 24, null, 24, 24]],
	["internal/abi.MapType", "Flags", [null, null, 84, 84, 84, null, null, null, null, 104, 128]],
	["runtime.moduledata", "text", [96, 176, 176, 176, 176, 176, 176, 176, 176, 176, 176]],
	["runtime.moduledata", "gofunc", [null, 304, 320, 320, 320, 320, 320, 320, 320, 320, 344]],
])("%s.%s is where another reader found it", (struct, path, offsets) => {
	expect<readonly (number | null)[] | undefined>(LAYOUT_TABLE[struct]?.fields[path]?.at).toEqual(offsets);
});
