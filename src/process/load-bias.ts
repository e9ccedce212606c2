/** Where a position-independent executable was loaded. */

import { GomapgrowError } from "../errors/error.ts";
import { type MemoryMapping, readEntryPoint, readLoadedMaps } from "./procfs.ts";

const PT_LOAD = 1;
const PAGE = 4096;

interface LoadSegment {
	type: number;
	offset: number;
	vaddr: number;
	filesz: number;
	executable: boolean;
}

/** What an executable says of itself. */
export interface LoadedElf {
	header: { entry: number };
	segments: readonly LoadSegment[];
}

const loaded = ({ segments }: LoadedElf): LoadSegment[] => segments.filter(({ type }) => type === PT_LOAD);

/**
 * Load bias: start of a mapping of the executable minus the address that its segment asks for. An internally linked PIE asks for
 * 0x400000, so the mapping's start alone is not it. Of its executable mappings first: a program may map its own file as data, too.
 * `inode`: of the executable. Undefined when no mapping is of it.
 */
export function biasOfMappings(mappings: readonly MemoryMapping[], inode: bigint, elf: LoadedElf): number | undefined {
	const own = mappings.filter((mapping) => BigInt(mapping.inode) === inode);
	const code = loaded(elf).filter(({ executable }) => executable);
	return biasOf(own.filter(isCode), code) ?? biasOf(own, loaded(elf));
}

const isCode = ({ permissions }: MemoryMapping): boolean => permissions.includes("x");

function biasOf(mappings: readonly MemoryMapping[], segments: readonly LoadSegment[]): number | undefined {
	for (const mapping of mappings) {
		for (const { offset, vaddr } of segments) {
			const inPage = vaddr % PAGE;
			if (offset - inPage === mapping.offset) return mapping.start - (vaddr - inPage);
		}
	}
	return undefined;
}

/**
 * The same from where the program was entered (AT_ENTRY of its auxiliary vector). For file systems of layers: older
 * kernels show the mapped file's inode in its layer, which need not be the one that the file itself has. Undefined when no file is mapped there as the executable
 * asks for.
 */
export function biasOfEntryPoint(
	mappings: readonly MemoryMapping[],
	entryPoint: number,
	elf: LoadedElf,
): number | undefined {
	const { entry } = elf.header;
	const bias = entryPoint - entry;
	if (bias < 0 || bias % PAGE !== 0) return undefined;
	const mapping = mappings.find(({ start, end }) => start <= entryPoint && entryPoint < end);
	if (mapping === undefined || mapping.inode === 0 || !mapping.permissions.includes("x")) return undefined;
	const offset = entryPoint - mapping.start + mapping.offset;
	const fits = loaded(elf).some(
		(segment) =>
			entry >= segment.vaddr &&
			entry < segment.vaddr + segment.filesz &&
			entry - segment.vaddr + segment.offset === offset,
	);
	return fits ? bias : undefined;
}

/** 0 when unknown: unlike `maps`, `auxv` is for its owner alone, whoever may trace the process. */
function entryPointOf(pid: number): number {
	try {
		return readEntryPoint(pid);
	} catch (error) {
		if (error instanceof GomapgrowError && error.code === "E-TARGET-DENIED") return 0;
		throw error;
	}
}

/** Load bias of a running process; `inode`: of its executable. Throws E-TARGET-GONE, also when no mapping is of it, and E-TARGET-DENIED. */
export function readLoadBias(pid: number, inode: bigint, elf: LoadedElf): number {
	const mappings = readLoadedMaps(pid);
	const entryPoint = entryPointOf(pid);
	// Where it was entered is certain, unless a loader that was executed in its place was.
	const own = mappings.filter((mapping) => BigInt(mapping.inode) === inode);
	const bias =
		biasOfEntryPoint(own, entryPoint, elf) ??
		biasOfMappings(mappings, inode, elf) ??
		biasOfEntryPoint(mappings, entryPoint, elf);
	if (bias !== undefined) return bias;
	throw new GomapgrowError("E-TARGET-GONE", {
		wanted: "the executable in the process's memory mappings",
		found: "no mapping of it",
	});
}
