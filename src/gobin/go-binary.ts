import type { ByteSource } from "../elf/byte-source.ts";
import { type ElfFile, openElf } from "../elf/elf-file.ts";
import type { ElfArch } from "../elf/header.ts";
import { GomapgrowError } from "../errors/error.ts";
import { type BuildInfo, readBuildInfo } from "./build-info.ts";
import { FunctionTable, type GoFunction } from "./function-table.ts";
import { checkSupported, type GoVersion, parseGoVersion, unsupported } from "./go-version.ts";
import { type Frame, framesAt } from "./inline-tree.ts";
import { lazy } from "./lazy.ts";
import { LruCache } from "./lru-cache.ts";
import { locateModuleData, type ModuleData } from "./module-data.ts";
import type { Pclntab } from "./pclntab-header.ts";
import { locatePclntab } from "./pclntab-locate.ts";
import { type MapType, RunTimeTypes } from "./run-time-types.ts";
import { STRUCT_LAYOUTS, type StructLayouts } from "./struct-layouts.ts";

export type MapImpl = "classic" | "swiss";

const SWISS_FUNCTION = "internal/runtime/maps.(*table).rehash";
const CLASSIC_FUNCTION = "runtime.hashGrow";
/** In the runtime/cgo package in all versions, linked whenever that package is. */
const CGO_FUNCTION = "crosscall2";
const GOEXIT = "runtime.goexit";
/** Addresses whose frames are remembered; some MiB at most. */
const SYMBOLIZER_ENTRIES = 16384;
const MAX_LISTED_NAMES = 100_000;

/**
 * A Go executable. Opening reads the ELF header and the build information; everything else is read when it is asked for. All
 * addresses are virtual addresses in the file, without the load bias. All members may throw E-BIN-MALFORMED or
 * E-BIN-TRUNCATED when what they need is damaged.
 */
export class GoBinary {
	readonly elf: ElfFile;
	readonly version: GoVersion;
	readonly buildInfo: BuildInfo;
	/** Offsets in the runtime's structures for this Go version. */
	readonly layouts: StructLayouts;
	readonly #pclntab: () => Pclntab;
	readonly #module: () => ModuleData;
	readonly #functions: () => FunctionTable;
	readonly #types: () => RunTimeTypes;
	readonly #mapImpl: () => MapImpl | undefined;
	readonly #cgo: () => boolean;
	readonly #frames = new LruCache<number, readonly Frame[]>(SYMBOLIZER_ENTRIES);

	constructor(elf: ElfFile, version: GoVersion, buildInfo: BuildInfo, layouts: StructLayouts) {
		this.elf = elf;
		this.version = version;
		this.buildInfo = buildInfo;
		this.layouts = layouts;
		this.#pclntab = lazy(() => locatePclntab(elf));
		this.#module = lazy(() => locateModuleData(elf, this.#pclntab(), version.minor));
		this.#functions = lazy(() => new FunctionTable(elf, this.#pclntab(), this.#module().text));
		this.#types = lazy(() => new RunTimeTypes(elf, this.#module(), version.minor, layouts));
		this.#mapImpl = lazy(() => mapImplOf(this.#functions()));
		this.#cgo = lazy(() => this.#functions().firstOf([CGO_FUNCTION]) !== undefined);
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

	/** Functions by full name; names without a function are absent. */
	functionsByName(names: readonly string[]): Map<string, GoFunction> {
		return this.#functions().byName(names);
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
	 * The source frames of an address, innermost first, inlined calls expanded; empty outside Go code. For a return address
	 * from a stack pass the address - 1, which lies in the call instruction. The frames are cached: do not change them.
	 */
	symbolize(vaddr: number): readonly Frame[] {
		const cached = this.#frames.get(vaddr);
		if (cached !== undefined) {
			return cached;
		}
		const record = this.#functions().recordAt(vaddr);
		const frames =
			record === undefined
				? []
				: framesAt(this.elf, this.#functions(), this.#pclntab(), this.moduleData.gofunc, record, vaddr);
		this.#frames.set(vaddr, frames);
		return frames;
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
 * Opens a Go executable, cheaply. Throws the errors of `openElf`, E-BIN-NOT-GO, E-BIN-GO-OLD and E-BIN-GO-NEW (both name the
 * supported range).
 */
export function openGoBinary(source: ByteSource): GoBinary {
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
	checkSupported(version);
	const layouts = STRUCT_LAYOUTS.get(version.minor);
	if (layouts === undefined) {
		throw new GomapgrowError("E-INTERNAL", { wanted: `layouts for Go 1.${version.minor}`, found: "none" });
	}
	return new GoBinary(elf, version, buildInfo, layouts);
}
