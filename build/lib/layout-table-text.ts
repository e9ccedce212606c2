/** The layout of one structure in one column. */
export interface MeasuredStruct {
	/** Bytes. */
	readonly size: number;
	/** Where it is declared, from GOROOT/src. */
	readonly file: string;
	/** By path. Offset and size in bytes. */
	readonly fields: ReadonlyMap<string, { readonly offset: number; readonly size: number }>;
}

const HEAD = `/**
 * Layouts of structures of the Go runtime for linux/amd64, by Go minor version; linux/arm64 has the same, but for the
 * size of runtime.p from Go 1.26 on.
 * Generated from the DWARF of programs built with every toolchain by \`bun build/layouts.ts\`: do not edit.
 */

/** What each position of a row stands for: a Go minor version, "-noswissmap" when built with GOEXPERIMENT=noswissmap. */
`;

const TYPES = `
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
`;

/**
 * The text of src/gobin/layouts/table.generated.ts.
 * @param columns what was measured, by column.
 * @param releases the exact Go release of each column.
 */
export function renderLayoutTable(
	columns: ReadonlyMap<string, ReadonlyMap<string, MeasuredStruct>>,
	releases: readonly string[],
): string {
	const keys = [...columns.keys()];
	const names = new Set([...columns.values()].flatMap((structs) => [...structs.keys()]));
	let text = HEAD;
	text += list("export const LAYOUT_COLUMNS = [", keys, "] as const;");
	text += "\n/** The release that each column was measured with. */\n";
	text += list("export const LAYOUT_RELEASES: readonly string[] = [", releases, "];");
	text += TYPES;
	for (const name of [...names].sort()) {
		text += renderStruct(
			name,
			keys,
			[...columns.values()].map((structs) => structs.get(name)),
		);
	}
	return `${text}};\n`;
}

function renderStruct(
	name: string,
	keys: readonly string[],
	measured: readonly (MeasuredStruct | undefined)[],
): string {
	let text = `\t${quoted(name)}: {\n${renderFiles(keys, measured)}`;
	text += `\t\tsize: ${row(measured.map((struct) => struct?.size))},\n\t\tfields: {\n`;
	for (const path of fieldNames(measured)) {
		const sizes = new Set(measured.flatMap((struct) => struct?.fields.get(path)?.size ?? []));
		if (sizes.size > 1) throw new Error(`wanted one size of ${name}.${path}; found ${[...sizes].join(", ")}`);
		const at = row(measured.map((struct) => struct?.fields.get(path)?.offset));
		text += `\t\t\t${/^\w+$/.test(path) ? path : quoted(path)}: { bytes: ${[...sizes][0]}, at: ${at} },\n`;
	}
	return `${text}\t\t},\n\t},\n`;
}

function renderFiles(keys: readonly string[], measured: readonly (MeasuredStruct | undefined)[]): string {
	const files = new Map<string, string[]>();
	measured.forEach((struct, column) => {
		if (struct) files.set(struct.file, [...(files.get(struct.file) ?? []), keys[column] ?? ""]);
	});
	const parts = [...files].map(([file, where]) => {
		return `${quoted(file)}: ${where.length === keys.length ? "LAYOUT_COLUMNS" : `[${where.map(quoted).join(", ")}]`}`;
	});
	if (parts.length === 1) return `\t\tfiles: { ${parts[0]} },\n`;
	return `\t\tfiles: {\n${parts.map((part) => `\t\t\t${part},\n`).join("")}\t\t},\n`;
}

/** All fields of all columns, newer ones behind the field that they follow. */
function fieldNames(measured: readonly (MeasuredStruct | undefined)[]): string[] {
	const names: string[] = [];
	for (const struct of measured) {
		let behind = -1;
		for (const name of struct?.fields.keys() ?? []) {
			const known = names.indexOf(name);
			if (known < 0) names.splice(behind + 1, 0, name);
			behind = known < 0 ? behind + 1 : known;
		}
	}
	return names;
}

function row(values: readonly (number | undefined)[]): string {
	return `[${values.map((value) => value ?? "null").join(", ")}]`;
}

function quoted(text: string): string {
	return JSON.stringify(text);
}

/** A list of strings, one per line as the formatter writes a long one. */
function list(open: string, items: readonly string[], close: string): string {
	return `${open}\n${items.map((item) => `\t${quoted(item)},\n`).join("")}${close}\n`;
}
