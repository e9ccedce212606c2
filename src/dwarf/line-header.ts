import { ByteCursor } from "./byte-cursor.ts";
import { FORM, LINE_CONTENT } from "./constants.ts";
import { type Encoding, SKIP, skipOf, skipValue } from "./form-skip.ts";
import { malformed, place } from "./malformed.ts";
import { readInitialLength } from "./unit-headers.ts";
import type { StringPlace } from "./values.ts";

/** A name in the file or directory table; its text stays where it is until it is asked for. */
export interface LineFile {
	readonly name: { readonly section: StringPlace["section"] | ".debug_line"; readonly offset: number } | undefined;
	/** Index in the directory table. */
	readonly directory: number;
}

/** The header of a line number program (DWARF 5, section 6.2.4; versions 2 to 5). */
export interface LineHeader {
	readonly version: number;
	readonly addressSize: number;
	readonly minInstructionLength: number;
	readonly maxOperations: number;
	readonly lineBase: number;
	readonly lineRange: number;
	readonly opcodeBase: number;
	/** Number of LEB128 operands of the standard opcodes 1, 2, … */
	readonly operandCounts: readonly number[];
	/** By the numbers that programs use: before DWARF 5, 0 is the unit's own directory and the list starts with 1. */
	readonly directories: readonly LineFile[];
	/** Likewise: before DWARF 5, the first file is number 1. */
	readonly files: readonly LineFile[];
	/** Of the program in .debug_line: [programStart, end). */
	readonly programStart: number;
	readonly end: number;
}

const NO_FILE: LineFile = { name: undefined, directory: 0 };

/**
 * Reads the header at `offset` of .debug_line. Absent for a version that is not 2 to 5.
 * @param unitAddressSize of the unit; headers before version 5 do not say.
 * @throws GomapgrowError E-BIN-MALFORMED
 */
export function readLineHeader(line: Uint8Array, offset: number, unitAddressSize: number): LineHeader | undefined {
	const section = new ByteCursor(line, ".debug_line", offset);
	const { length, offsetSize } = readInitialLength(section);
	const start = section.pos;
	section.skip(length);
	const at = new ByteCursor(line, ".debug_line", start, section.pos);
	const version = at.u16();
	if (version < 2 || version > 5) return undefined;
	let addressSize = unitAddressSize;
	if (version >= 5) {
		addressSize = at.u8();
		at.skip(1); // segment selector size
	}
	const headerLength = at.unsigned(offsetSize);
	const tablesStart = at.pos;
	at.skip(headerLength);
	const programStart = at.pos;
	const header = new ByteCursor(line, ".debug_line", tablesStart, programStart);
	const minInstructionLength = header.u8();
	const maxOperations = version >= 4 ? header.u8() : 1;
	header.skip(1); // default_is_stmt
	const lineBase = header.s8();
	const lineRange = header.u8();
	const opcodeBase = header.u8();
	if (lineRange === 0 || opcodeBase === 0 || maxOperations === 0) {
		throw malformed("a line program that can be divided", `a zero in the header at ${place(".debug_line", offset)}`);
	}
	const operandCounts: number[] = [];
	for (let opcode = 1; opcode < opcodeBase; opcode++) operandCounts.push(header.u8());
	const encoding: Encoding = { version, addressSize, offsetSize };
	const directories = version >= 5 ? readTable(header, encoding) : readOldDirectories(header);
	const files = version >= 5 ? readTable(header, encoding) : readOldFiles(header);
	return {
		version,
		addressSize,
		minInstructionLength,
		maxOperations,
		lineBase,
		lineRange,
		opcodeBase,
		operandCounts,
		directories,
		files,
		programStart,
		end: at.end,
	};
}

function readOldDirectories(at: ByteCursor): LineFile[] {
	const directories = [NO_FILE];
	for (let offset = at.skipString(); at.pos - offset > 1; offset = at.skipString()) {
		directories.push({ name: { section: ".debug_line", offset }, directory: 0 });
	}
	return directories;
}

function readOldFiles(at: ByteCursor): LineFile[] {
	const files = [NO_FILE];
	for (let offset = at.skipString(); at.pos - offset > 1; offset = at.skipString()) {
		const directory = at.uleb();
		at.skipLeb(); // time
		at.skipLeb(); // length
		files.push({ name: { section: ".debug_line", offset }, directory });
	}
	return files;
}

/** A table of DWARF 5: first which columns there are and in which forms, then the rows. */
function readTable(at: ByteCursor, encoding: Encoding): LineFile[] {
	const columns: { content: number; form: number; step: number }[] = [];
	for (let left = at.u8(); left > 0; left--) {
		const content = at.uleb();
		const form = at.uleb();
		const step = skipOf(form, encoding);
		// A row must take space, or a count of rows could be anything.
		if (step === 0 || step === SKIP.unknown || step === SKIP.indirect) {
			throw malformed("a form of a file table", `form 0x${form.toString(16)} before ${place(".debug_line", at.pos)}`);
		}
		columns.push({ content, form, step });
	}
	const count = at.uleb();
	if (count > at.left || (count > 0 && columns.length === 0)) {
		throw malformed("a file table inside its header", `${count} rows at ${place(".debug_line", at.pos)}`);
	}
	const rows: LineFile[] = [];
	for (let n = 0; n < count; n++) {
		let name: LineFile["name"];
		let directory = 0;
		for (const { content, form, step } of columns) {
			const start = at.pos;
			skipValue(at, step, encoding);
			const value = new ByteCursor(at.bytes, ".debug_line", start, at.pos);
			if (content === LINE_CONTENT.path) name = namePlace(value, form, encoding.offsetSize);
			else if (content === LINE_CONTENT.directoryIndex) directory = directoryIndex(value, form);
		}
		rows.push({ name, directory });
	}
	return rows;
}

function namePlace(value: ByteCursor, form: number, offsetSize: number): LineFile["name"] {
	if (form === FORM.string) return { section: ".debug_line", offset: value.pos };
	if (form === FORM.lineStrp) return { section: ".debug_line_str", offset: value.unsigned(offsetSize) };
	if (form === FORM.strp) return { section: ".debug_str", offset: value.unsigned(offsetSize) };
	return undefined;
}

function directoryIndex(value: ByteCursor, form: number): number {
	if (form === FORM.udata) return value.uleb();
	return form === FORM.data1 || form === FORM.data2 ? value.unsigned(value.left) : 0;
}
