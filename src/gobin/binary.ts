/** A Go executable and what can be asked about it. */
import type { DwarfFile } from "../dwarf/dwarf-file.ts";
import type { ElfFile } from "../elf/elf-file.ts";
import type { ElfArch } from "../elf/header.ts";
import { lazy } from "../lib/lazy.ts";
import type { BuildInfo } from "./buildinfo/build-info.ts";
import type { GoVersion, VersionSource } from "./buildinfo/go-version.ts";
import { CFunctions } from "./cgo/c-functions.ts";
import { locateAllgs } from "./layouts/allgs-from-code.ts";
import type { LayoutBasis } from "./layouts/choose.ts";
import { GOID_WITNESSES, goidFromCode } from "./layouts/goid-from-code.ts";
import type { ModuleDataLayout, StructLayouts } from "./layouts/struct-layouts.ts";
import { FunctionTable, type GoFunction } from "./pclntab/function-table.ts";
import { type Frame, inlineTreesFit } from "./pclntab/inline-tree.ts";
import { findInlinedCopies, type InlinedCopy } from "./pclntab/inlined-copies.ts";
import { Symbolizer } from "./pclntab/symbolizer.ts";
import { operatingSystem } from "./platform.ts";
import { type GoTables, locateGoTables } from "./types/locate-tables.ts";
import type { ModuleData } from "./types/module-data.ts";
import { type MapType, RunTimeTypes } from "./types/run-time-types.ts";
import { readWaitReasons } from "./types/wait-reasons.ts";

export type MapImpl = "classic" | "swiss";

/**
 * One of them is in every program whose maps can grow: the compiler may have inlined the growth functions
 * themselves everywhere (-pgo).
 */
const SWISS_FUNCTIONS = ["rehash", "grow", "split", "uncheckedPutSlot"].map(
	(name) => `internal/runtime/maps.(*table).${name}`,
);
const CLASSIC_FUNCTIONS = [
	"runtime.hashGrow",
	...["", "_fast32", "_fast32ptr", "_fast64", "_fast64ptr", "_faststr"].map((kind) => `runtime.mapassign${kind}`),
];
/** In the runtime/cgo package in all versions, linked whenever that package is. */
const CGO_FUNCTION = "crosscall2";
const GOEXIT = "runtime.goexit";
/** What nearly every use of a program asks about. */
const EXPECTED: readonly string[] = [...SWISS_FUNCTIONS, ...CLASSIC_FUNCTIONS, CGO_FUNCTION, ...GOID_WITNESSES];
const MAX_LISTED_NAMES = 100_000;
const MAX_REMEMBERED_NAMES = 1024;

/** What any Go executable says at its beginning, of whatever release. */
export interface GoProgram {
	readonly elf: ElfFile;
	readonly version: GoVersion;
	readonly versionFrom: VersionSource;
	/** Without settings when the file has none. */
	readonly buildInfo: BuildInfo;
	/** The debug information; undefined without. The first call inflates it: a second's work for a large program. */
	readonly dwarf: () => DwarfFile | undefined;
}

/**
 * A Go executable. Opening reads the ELF header and the build information; everything else is read when it is asked
 * for. All addresses are virtual addresses in the file, without the load bias. All members may throw
 * E-BIN-MALFORMED or E-BIN-TRUNCATED when what they need is damaged.
 */
export class GoBinary {
	readonly elf: ElfFile;
	readonly version: GoVersion;
	readonly buildInfo: BuildInfo;
	/** What the layouts rest on. */
	readonly basis: LayoutBasis;
	readonly #tables: () => GoTables;
	readonly #functions: () => FunctionTable;
	readonly #symbolizer: () => Symbolizer;
	readonly #types: () => RunTimeTypes;
	readonly #mapTypesConfirmed: () => boolean;
	readonly #cFunctions: () => CFunctions;
	readonly #goidInCode: () => number | undefined;
	readonly #allgs: () => number | undefined;
	readonly #globalVariables: () => readonly { address: number; type: number }[];
	readonly #waitReasons: () => readonly string[] | undefined;
	/** Functions that were looked for; undefined for those that are not there. */
	readonly #named = new Map<string, GoFunction | undefined>();
	/** Functions that will be asked for: they are looked for together with the first. */
	readonly #expected = new Set(EXPECTED);

	/** `moduleData`: its layout. */
	constructor(program: GoProgram, basis: LayoutBasis, moduleData: ModuleDataLayout) {
		const { elf, version, buildInfo } = program;
		this.elf = elf;
		this.version = version;
		this.buildInfo = buildInfo;
		this.basis = basis;
		this.#tables = lazy(() => locateGoTables(elf, moduleData));
		this.#functions = lazy(() => new FunctionTable(elf, this.#tables().pclntab, this.#tables().module.text));
		this.#symbolizer = lazy(() => {
			return new Symbolizer(elf, this.#functions(), this.#tables().pclntab, this.#tables().module.gofunc);
		});
		this.#types = lazy(() => new RunTimeTypes(elf, this.#tables().module, version.minor, basis.structs));
		this.#mapTypesConfirmed = lazy(() => {
			const impl = this.mapImpl;
			return impl !== undefined && this.#types().confirmsMapTypes(impl);
		});
		this.#cFunctions = lazy(() => new CFunctions(elf, this.#tables().module.minpc, this.#tables().module.maxpc));
		const amd64 = elf.arch === "amd64";
		this.#goidInCode = lazy(() => (amd64 ? goidFromCode(this) : undefined));
		this.#allgs = lazy(() => (amd64 ? locateAllgs(this) : undefined));
		this.#globalVariables = lazy(() => {
			const { types, etypes } = this.#tables().module;
			const found = program.dwarf()?.globalVariables() ?? [];
			return found
				.map(({ address, runtimeType }) => ({ address, type: runtimeType < types ? types + runtimeType : runtimeType }))
				.filter(({ type }) => type < etypes);
		});
		this.#waitReasons = lazy(() => (amd64 ? readWaitReasons(this) : undefined));
	}

	/** Offsets in the runtime's structures. One that is absent is not known for certain: do without it. */
	get layouts(): StructLayouts {
		return this.basis.structs;
	}

	/**
	 * The offset of runtime.g.goid as the program's own code uses it; undefined when that code does not look as
	 * expected.
	 */
	get goidInCode(): number | undefined {
		return this.#goidInCode();
	}

	/** Bytes that the function which covers the address has on the stack at most, without its return address. */
	frameBytesAt(vaddr: number): number | undefined {
		const functions = this.#functions();
		const record = functions.recordAt(vaddr);
		return record && functions.frameBytes(record);
	}

	/**
	 * The address of the variable runtime.allgs, the slice of all goroutines; undefined when nothing certain says
	 * where it is.
	 */
	get allgs(): number | undefined {
		return this.#allgs();
	}

	/**
	 * Global variables that debug information describes, with the address of their type's descriptor; empty without.
	 * The first call inflates the debug information.
	 */
	get globalVariables(): readonly { address: number; type: number }[] {
		return this.#globalVariables();
	}

	/**
	 * What the values of runtime.g.waitreason mean, in the program's own words; undefined when they were not found.
	 */
	get waitReasons(): readonly string[] | undefined {
		return this.#waitReasons();
	}

	/** Whether the map types of the file look as the layouts say: each is named after its own key and element. */
	get mapTypesConfirmed(): boolean {
		return this.#mapTypesConfirmed();
	}

	/** Whether calls that the compiler inlined can be told apart from calls of their own. */
	get tellsInlinedCalls(): boolean {
		return !this.#tables().pclntab.format.relativeEntries || this.moduleData.gofunc !== undefined;
	}

	/**
	 * Whether what is where the module data say that the trees of inlined calls are looks like such trees;
	 * undefined when there are none.
	 */
	get inlineTreesConfirmed(): boolean | undefined {
		const { gofunc } = this.moduleData;
		const functions = this.#functions();
		return gofunc === undefined ? undefined : inlineTreesFit(this.elf, functions, this.#tables().pclntab, gofunc);
	}

	/** GOOS. */
	get os(): string {
		return operatingSystem(this.elf, this.buildInfo);
	}

	get arch(): ElfArch {
		return this.elf.arch;
	}

	/** Position-independent: addresses in the process are those of the file plus a load bias. */
	get pie(): boolean {
		return this.elf.pie;
	}

	/** Without a dynamic loader. */
	get static(): boolean {
		return this.elf.static;
	}

	/** Without a symbol table (.symtab). */
	get stripped(): boolean {
		return this.elf.section(".symtab") === undefined;
	}

	/** Whether runtime/cgo is linked in: C code and threads made by C are possible. */
	get cgo(): boolean {
		return this.#function(CGO_FUNCTION) !== undefined;
	}

	/** The Go build id. */
	get buildId(): string | undefined {
		return this.elf.goBuildId;
	}

	/** The GNU build id in hex. */
	get gnuBuildId(): string | undefined {
		return this.elf.gnuBuildId;
	}

	/**
	 * Which map implementation is linked in; undefined when the program has none. Told by the functions, never by
	 * the version.
	 */
	get mapImpl(): MapImpl | undefined {
		if (this.functionsByName(SWISS_FUNCTIONS).size > 0) {
			return "swiss";
		}
		return this.functionsByName(CLASSIC_FUNCTIONS).size === 0 ? undefined : "classic";
	}

	/** runtime.text, the start of Go code; in cgo programs it is not the address of .text. */
	get textStart(): number {
		return this.moduleData.text;
	}

	/** p_vaddr of the lowest loadable segment; load bias = start of its mapping - this. */
	get firstLoadAddress(): number {
		return this.elf.firstLoadAddress;
	}

	get moduleData(): ModuleData {
		return this.#tables().module;
	}

	/**
	 * Announces functions that will be asked for, so that the first search finds them, too: it takes as long for
	 * many as for one.
	 */
	expectFunctions(names: readonly string[]): void {
		for (const name of names) {
			if (!this.#named.has(name) && this.#expected.size < MAX_REMEMBERED_NAMES) {
				this.#expected.add(name);
			}
		}
	}

	/**
	 * Functions by full name; names without a function are absent. Looking for many at once takes as long as for
	 * one.
	 */
	functionsByName(names: readonly string[]): Map<string, GoFunction> {
		const unknown = names.filter((name) => !this.#named.has(name));
		let searched = new Map<string, GoFunction>();
		if (unknown.length > 0) {
			const wanted = new Set([...this.#expected, ...unknown]);
			searched = this.#functions().byName([...wanted]);
			this.#expected.clear();
			for (const name of wanted) {
				if (this.#named.size < MAX_REMEMBERED_NAMES) {
					this.#named.set(name, searched.get(name));
				}
			}
		}
		const found = new Map<string, GoFunction>();
		for (const name of names) {
			const known = this.#named.get(name) ?? searched.get(name);
			if (known !== undefined) {
				found.set(name, known);
			}
		}
		return found;
	}

	/**
	 * Copies of the functions with these names that the compiler has put into functions whose names begin with one
	 * of the prefixes, in place of calls. None when it is not known where the program's trees of inlined calls are.
	 */
	inlinedCopies(names: readonly string[], outerPrefixes: readonly string[]): InlinedCopy[] {
		const { pclntab, module } = this.#tables();
		return findInlinedCopies(this.elf, this.#functions(), pclntab, module, names, outerPrefixes);
	}

	#function(name: string): GoFunction | undefined {
		return this.functionsByName([name]).get(name);
	}

	/** The function that covers the address, without its source position; undefined outside Go code. */
	functionAt(vaddr: number): GoFunction | undefined {
		return this.#functions().functionAt(vaddr);
	}

	/**
	 * The functions whose names start with one of the prefixes, which are not empty, in address order and without
	 * source positions; an error when there are more than 100,000.
	 */
	functionsWithPrefix(...prefixes: string[]): GoFunction[] {
		return this.#functions().withPrefix(prefixes, MAX_LISTED_NAMES);
	}

	/**
	 * The source frames of an address, innermost first, inlined calls expanded. C code has one frame with the name
	 * from the symbol table; where nothing has a name there is none. For a return address from a stack pass the
	 * address - 1, which lies in the call instruction. Where the file is damaged frames lack what cannot be read.
	 * The frames are cached: do not change them.
	 */
	symbolize(vaddr: number): readonly Frame[] {
		return this.#symbolizer().framesAt(vaddr) ?? this.#cFrames(vaddr);
	}

	#cFrames(vaddr: number): readonly Frame[] {
		const name = this.elf.isExecutable(vaddr) ? this.#cFunctions().nameAt(vaddr) : undefined;
		return name === undefined ? [] : [{ fn: name }];
	}

	/**
	 * How far above the stack pointer the return address is while the instruction at the address is about to be
	 * executed, in bytes; undefined outside Go code. For a return address from a stack pass the address - 1.
	 */
	frameSizeAt(vaddr: number): number | undefined {
		const record = this.#functions().recordAt(vaddr);
		const size = record === undefined ? -1 : this.#functions().frameSize(record, vaddr);
		return size < 0 || size % 8 !== 0 ? undefined : size;
	}

	/** Whether the address (a return address - 1) is in runtime.goexit, the bottom of every goroutine's stack. */
	isGoexit(vaddr: number): boolean {
		return this.symbolize(vaddr).at(-1)?.fn === GOEXIT;
	}

	/**
	 * The map type whose descriptor is at the address, or undefined when there is none (types made at run time,
	 * garbage).
	 */
	mapTypeAt(vaddr: number): MapType | undefined {
		const impl = this.mapImpl;
		return impl === undefined ? undefined : this.#types().mapTypeAt(vaddr, impl);
	}

	/** The file's bytes for an address range. Throws E-BIN-MALFORMED when the file does not hold all of it. */
	bytesAt(vaddr: number, length: number): Uint8Array {
		return this.elf.bytesAt(vaddr, length);
	}

	/** The file offset of an address: what the kernel wants for a uprobe. Undefined outside the file's segments. */
	fileOffset(vaddr: number): number | undefined {
		return this.elf.fileOffset(vaddr);
	}
}
