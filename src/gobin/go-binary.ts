import { DwarfFile } from "../dwarf/dwarf-file.ts";
import type { ByteSource } from "../elf/byte-source.ts";
import { type ElfFile, openElf } from "../elf/elf-file.ts";
import type { ElfArch } from "../elf/header.ts";
import { GomapgrowError } from "../errors/error.ts";
import { type BuildInfo, readBuildInfo } from "./build-info.ts";
import { CFunctions } from "./c-functions.ts";
import { FunctionTable, type GoFunction } from "./function-table.ts";
import { type GoVersion, parseGoVersion, standingOf, unsupported } from "./go-version.ts";
import { goidFromCode } from "./goid-evidence.ts";
import { type Frame, framesAt } from "./inline-tree.ts";
import { chooseLayouts, type LayoutBasis } from "./layout-basis.ts";
import { lazy } from "./lazy.ts";
import { LruCache } from "./lru-cache.ts";
import { locateModuleData, type ModuleData } from "./module-data.ts";
import type { Pclntab } from "./pclntab-header.ts";
import { locatePclntab } from "./pclntab-locate.ts";
import { type MapType, RunTimeTypes } from "./run-time-types.ts";
import type { ModuleDataLayout, StructLayouts } from "./struct-layouts.ts";

export type MapImpl = "classic" | "swiss";

const SWISS_FUNCTION = "internal/runtime/maps.(*table).rehash";
const CLASSIC_FUNCTION = "runtime.hashGrow";
/** In the runtime/cgo package in all versions, linked whenever that package is. */
const CGO_FUNCTION = "crosscall2";
const GOEXIT = "runtime.goexit";
/** Addresses whose frames are remembered; some MiB at most. */
const SYMBOLIZER_ENTRIES = 16384;
const MAX_LISTED_NAMES = 100_000;
const MAX_REMEMBERED_NAMES = 1024;

/** What any Go executable says at its beginning, of whatever release. */
export interface GoProgram {
	readonly elf: ElfFile;
	readonly version: GoVersion;
	readonly buildInfo: BuildInfo;
	/** The debug information; undefined without. The first call inflates it: a second's work for a large program. */
	readonly dwarf: () => DwarfFile | undefined;
}

/**
 * A Go executable. Opening reads the ELF header and the build information; everything else is read when it is asked for. All
 * addresses are virtual addresses in the file, without the load bias. All members may throw E-BIN-MALFORMED or
 * E-BIN-TRUNCATED when what they need is damaged.
 */
export class GoBinary {
	readonly elf: ElfFile;
	readonly version: GoVersion;
	readonly buildInfo: BuildInfo;
	/** What the layouts rest on. */
	readonly basis: LayoutBasis;
	readonly #pclntab: () => Pclntab;
	readonly #module: () => ModuleData;
	readonly #functions: () => FunctionTable;
	readonly #types: () => RunTimeTypes;
	readonly #mapImpl: () => MapImpl | undefined;
	readonly #cgo: () => boolean;
	readonly #cFunctions: () => CFunctions;
	readonly #goidInCode: () => number | undefined;
	/** Functions that were looked for; undefined for those that are not there. */
	readonly #named = new Map<string, GoFunction | undefined>();
	readonly #frames = new LruCache<number, readonly Frame[]>(SYMBOLIZER_ENTRIES);

	/** `moduleData`: its layout. */
	constructor(program: GoProgram, basis: LayoutBasis, moduleData: ModuleDataLayout) {
		const { elf, version, buildInfo } = program;
		this.elf = elf;
		this.version = version;
		this.buildInfo = buildInfo;
		this.basis = basis;
		this.#pclntab = lazy(() => locatePclntab(elf));
		this.#module = lazy(() => locateModuleData(elf, this.#pclntab(), moduleData));
		this.#functions = lazy(() => new FunctionTable(elf, this.#pclntab(), this.#module().text));
		this.#types = lazy(() => new RunTimeTypes(elf, this.#module(), version.minor, basis.structs));
		this.#mapImpl = lazy(() => mapImplOf(this.#functions()));
		this.#cgo = lazy(() => this.#functions().firstOf([CGO_FUNCTION]) !== undefined);
		this.#cFunctions = lazy(() => new CFunctions(elf, this.#module().minpc, this.#module().maxpc));
		this.#goidInCode = lazy(() => (elf.arch === "amd64" ? goidFromCode(this) : undefined));
	}

	/** Offsets in the runtime's structures. One that is absent is not known for certain: do without it. */
	get layouts(): StructLayouts {
		return this.basis.structs;
	}

	/** The offset of runtime.g.goid as the program's own code uses it; undefined when that code does not look as expected. */
	get goidInCode(): number | undefined {
		return this.#goidInCode();
	}

	/** Whether the map types of the file look as the layouts say: each is named after its own key and element. */
	get mapTypesConfirmed(): boolean {
		const impl = this.mapImpl;
		return impl !== undefined && this.#types().confirmsMapTypes(impl);
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
		return this.#cgo();
	}

	/** The Go build id. */
	get buildId(): string | undefined {
		return this.elf.goBuildId;
	}

	/** The GNU build id in hex. */
	get gnuBuildId(): string | undefined {
		return this.elf.gnuBuildId;
	}

	/** Which map implementation is linked in; undefined when the program has none. Told by the functions, never by the version. */
	get mapImpl(): MapImpl | undefined {
		return this.#mapImpl();
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
		return this.#module();
	}

	/** Functions by full name; names without a function are absent. Looking for many at once takes as long as for one. */
	functionsByName(names: readonly string[]): Map<string, GoFunction> {
		const unknown = names.filter((name) => !this.#named.has(name));
		const found = unknown.length === 0 ? new Map<string, GoFunction>() : this.#functions().byName(unknown);
		for (const name of unknown) {
			if (this.#named.size < MAX_REMEMBERED_NAMES) {
				this.#named.set(name, found.get(name));
			}
		}
		for (const name of names) {
			const remembered = this.#named.get(name);
			if (remembered !== undefined) {
				found.set(name, remembered);
			}
		}
		return found;
	}

	/** The function that covers the address, or undefined outside Go code. */
	functionAt(vaddr: number): GoFunction | undefined {
		return this.#functions().functionAt(vaddr);
	}

	/** Names of the functions that start with the prefix, in address order, 100,000 at most. */
	functionNamesWithPrefix(prefix: string): string[] {
		return this.#functions().namesWithPrefix(prefix, MAX_LISTED_NAMES);
	}

	/**
	 * The source frames of an address, innermost first, inlined calls expanded. C code has one frame with the name from the symbol
	 * table; where nothing has a name there is none. For a return address from a stack pass the address - 1, which lies in the
	 * call instruction. The frames are cached: do not change them.
	 */
	symbolize(vaddr: number): readonly Frame[] {
		const cached = this.#frames.get(vaddr);
		if (cached !== undefined) {
			return cached;
		}
		const record = this.#functions().recordAt(vaddr);
		const frames =
			record === undefined
				? this.#cFrames(vaddr)
				: framesAt(this.elf, this.#functions(), this.#pclntab(), this.moduleData.gofunc, record, vaddr);
		this.#frames.set(vaddr, frames);
		return frames;
	}

	#cFrames(vaddr: number): Frame[] {
		const name = this.elf.isExecutable(vaddr) ? this.#cFunctions().nameAt(vaddr) : undefined;
		return name === undefined ? [] : [{ fn: name }];
	}

	/** Whether the address (a return address - 1) is in runtime.goexit, the bottom of every goroutine's stack. */
	isGoexit(vaddr: number): boolean {
		return this.symbolize(vaddr).at(-1)?.fn === GOEXIT;
	}

	/** The map type whose descriptor is at the address, or undefined when there is none (types made at run time, garbage). */
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

function mapImplOf(functions: FunctionTable): MapImpl | undefined {
	const first = functions.firstOf([SWISS_FUNCTION, CLASSIC_FUNCTION]);
	return first === undefined ? undefined : first === SWISS_FUNCTION ? "swiss" : "classic";
}

/**
 * Reads what makes a file a Go program, of whatever release. Throws the errors of `openElf`, E-BIN-NOT-GO, and E-BIN-GO-OLD for those
 * that do not even say their version.
 */
export function identifyGoProgram(source: ByteSource): GoProgram {
	const elf = openElf(source);
	const buildInfo = readBuildInfo(elf);
	if (buildInfo === undefined) {
		if (elf.section(".gopclntab") !== undefined && elf.section(".go.buildinfo") === undefined) {
			throw unsupported("E-BIN-GO-OLD", "a Go program without build information, as Go 1.12 and older make");
		}
		throw new GomapgrowError("E-BIN-NOT-GO", {
			wanted: "an executable built by Go",
			found: "an ELF executable without Go build information",
		});
	}
	const version = parseGoVersion(buildInfo.goVersion);
	if (version === undefined) {
		throw new GomapgrowError("E-BIN-NOT-GO", {
			wanted: "a Go version in the build information",
			found: JSON.stringify(buildInfo.goVersion),
		});
	}
	const dwarf = lazy(() => DwarfFile.open({ section: (name) => elf.debugSection(name) }));
	return { elf, version, buildInfo, dwarf };
}

export interface OpenOptions {
	/** Prefer the program's own DWARF even for a release whose layouts are known: slow for a large program. */
	verifyLayouts?: boolean;
}

/**
 * Opens an identified program, cheaply when its release is known. A newer one needs DWARF, or has to look like the newest known
 * release. Throws E-BIN-GO-OLD and E-BIN-GO-NEW (both name the supported range).
 */
export function openGoProgram(program: GoProgram, options: OpenOptions = {}): GoBinary {
	const { version } = program;
	if (standingOf(version) === "old") {
		throw unsupported("E-BIN-GO-OLD", `a program built with ${version.raw}`);
	}
	const basis = chooseLayouts(version, program.dwarf, options.verifyLayouts === true);
	const { moduleData } = basis.structs;
	if (moduleData === undefined) {
		throw unsupported("E-BIN-GO-NEW", `a program built with ${version.raw}, whose module data has unknown fields`);
	}
	const binary = new GoBinary(program, basis, moduleData);
	return standingOf(version) === "known" ? binary : confirmed(program, binary, moduleData);
}

/**
 * Makes sure that an unknown version can be read at all; layouts that are another release's lose what the file refutes. Throws
 * E-BIN-GO-NEW when nothing is left.
 */
function confirmed(program: GoProgram, binary: GoBinary, moduleData: ModuleDataLayout): GoBinary {
	try {
		// Asks for the function table and the module data.
		if (binary.mapImpl === undefined || binary.basis.kind !== "nearest" || binary.mapTypesConfirmed) {
			return binary;
		}
		return new GoBinary(program, { ...binary.basis, structs: { moduleData } }, moduleData);
	} catch (cause) {
		if (cause instanceof GomapgrowError && cause.code === "E-BIN-MALFORMED") {
			throw unsupported(
				"E-BIN-GO-NEW",
				`a program built with ${binary.version.raw}, in which ${cause.wanted} cannot be found (${cause.found})`,
				cause,
			);
		}
		throw cause;
	}
}

/** Opens a Go executable: `identifyGoProgram`, then `openGoProgram`. */
export function openGoBinary(source: ByteSource): GoBinary {
	return openGoProgram(identifyGoProgram(source));
}
