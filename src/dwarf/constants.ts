/**
 * The numbers of DWARF that this reader has to know by name (DWARF 5, section 7; the GNU forms are in binutils'
 * include/dwarf2.def). Everything else is skipped by its form.
 */

export const TAG = {
	arrayType: 0x01,
	member: 0x0d,
	pointerType: 0x0f,
	referenceType: 0x10,
	compileUnit: 0x11,
	structureType: 0x13,
	subroutineType: 0x15,
	typedef: 0x16,
	subrangeType: 0x21,
	baseType: 0x24,
	constType: 0x26,
	volatileType: 0x35,
	restrictType: 0x37,
	variable: 0x34,
	atomicType: 0x47,
} as const;

export const AT = {
	sibling: 0x01,
	location: 0x02,
	name: 0x03,
	byteSize: 0x0b,
	stmtList: 0x10,
	lowPc: 0x11,
	highPc: 0x12,
	language: 0x13,
	compDir: 0x1b,
	producer: 0x25,
	upperBound: 0x2f,
	count: 0x37,
	dataMemberLocation: 0x38,
	declaration: 0x3c,
	type: 0x49,
	ranges: 0x55,
	strOffsetsBase: 0x72,
	addrBase: 0x73,
	rnglistsBase: 0x74,
	/** cmd/internal/dwarf, DW_AT_go_runtime_type */
	goRuntimeType: 0x2904,
} as const;

export const FORM = {
	addr: 0x01,
	block2: 0x03,
	block4: 0x04,
	data2: 0x05,
	data4: 0x06,
	data8: 0x07,
	string: 0x08,
	block: 0x09,
	block1: 0x0a,
	data1: 0x0b,
	flag: 0x0c,
	sdata: 0x0d,
	strp: 0x0e,
	udata: 0x0f,
	refAddr: 0x10,
	ref1: 0x11,
	ref2: 0x12,
	ref4: 0x13,
	ref8: 0x14,
	refUdata: 0x15,
	indirect: 0x16,
	secOffset: 0x17,
	exprloc: 0x18,
	flagPresent: 0x19,
	strx: 0x1a,
	addrx: 0x1b,
	refSup4: 0x1c,
	strpSup: 0x1d,
	data16: 0x1e,
	lineStrp: 0x1f,
	refSig8: 0x20,
	implicitConst: 0x21,
	loclistx: 0x22,
	rnglistx: 0x23,
	refSup8: 0x24,
	strx1: 0x25,
	strx2: 0x26,
	strx3: 0x27,
	strx4: 0x28,
	addrx1: 0x29,
	addrx2: 0x2a,
	addrx3: 0x2b,
	addrx4: 0x2c,
	gnuAddrIndex: 0x1f01,
	gnuStrIndex: 0x1f02,
	gnuRefAlt: 0x1f20,
	gnuStrpAlt: 0x1f21,
} as const;

/** DW_UT_*: the kinds of units of DWARF 5 (section 7.5.1). */
export const UNIT_TYPE = { compile: 1, type: 2, partial: 3, skeleton: 4, splitCompile: 5, splitType: 6 } as const;

/** DW_OP_*: where a global variable is (DWARF 5, section 7.7.1). */
export const OP = { addr: 0x03, addrx: 0xa1 } as const;

/** DW_LANG_Go (DWARF 5, table 7.17; used by Go's linker in every version, also in DWARF 4). */
export const LANGUAGE_GO = 0x16;

/** DW_RLE_*: entries of .debug_rnglists (DWARF 5, section 7.25). */
export const RANGE_ENTRY = {
	endOfList: 0,
	baseAddressx: 1,
	startxEndx: 2,
	startxLength: 3,
	offsetPair: 4,
	baseAddress: 5,
	startEnd: 6,
	startLength: 7,
} as const;

/** DW_LNCT_*: columns of the file tables of a DWARF 5 line program (section 7.22). */
export const LINE_CONTENT = { path: 1, directoryIndex: 2 } as const;
