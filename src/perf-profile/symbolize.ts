/**
 * Names addresses of a perf script from the executables themselves, as far as they are there and are Go's: with the frames of inlined functions and with
 * lines, for stripped ones too.
 */

import { GomapgrowError } from "../errors/error.ts";
import { type GoBinary, openGoBinary } from "../gobin/go-binary.ts";
import { BoundedTable } from "../lib/bounded-table.ts";
import { sanitize } from "../lib/sanitize.ts";
import { type FileBytes, openFileBytes } from "../process/file-bytes.ts";
import type { Frame } from "../records/records.ts";
import type { FrameResolver } from "./cpu-profile.ts";
import type { PerfFrame } from "./parse-script.ts";

const MAX_FILES = 16;
const MAX_FRAMES = 65_536;

interface OpenFile {
	bytes: FileBytes;
	binary: GoBinary;
}

export class PerfFrames {
	/** By path; undefined for those that are no Go executable. */
	readonly #files = new Map<string, OpenFile | undefined>();
	readonly #known = new BoundedTable<string, { frames: readonly Frame[] | undefined }>(MAX_FRAMES);

	readonly resolve: FrameResolver = (frame, isReturn) => {
		const { dso, address, fn, offset } = frame;
		if (dso === undefined || !dso.startsWith("/")) return undefined;
		const key = `${address}:${isReturn}:${fn}:${offset}:${dso}`;
		return this.#known.getOrAdd(key, () => ({ frames: this.#lookUp(dso, frame, isReturn) })).frames;
	};

	#lookUp(dso: string, frame: PerfFrame, isReturn: boolean): readonly Frame[] | undefined {
		const file = this.#file(dso);
		if (file === undefined) return undefined;
		try {
			const vaddr = addressInFile(file.binary, frame);
			if (vaddr === undefined) return undefined;
			// A return address points behind the call: the byte before it belongs to the call.
			return file.binary.symbolize(isReturn ? vaddr - 1 : vaddr).map(({ fn, file: source, ...rest }) => ({
				...rest,
				fn: sanitize(fn),
				...(source === undefined ? {} : { file: sanitize(source) }),
			}));
		} catch (error) {
			if (error instanceof GomapgrowError) return undefined;
			throw error;
		}
	}

	#file(path: string): OpenFile | undefined {
		if (this.#files.has(path)) return this.#files.get(path);
		if (this.#files.size >= MAX_FILES) return undefined;
		const file = open(path);
		this.#files.set(path, file);
		return file;
	}

	close(): void {
		for (const file of this.#files.values()) file?.bytes.close();
		this.#files.clear();
	}
}

/** What cannot be opened or is nothing of Go's has the names that perf knows. */
function open(path: string): OpenFile | undefined {
	let bytes: FileBytes | undefined;
	try {
		bytes = openFileBytes(path);
		return { bytes, binary: openGoBinary(bytes) };
	} catch (error) {
		bytes?.close();
		if (error instanceof GomapgrowError) return undefined;
		throw error;
	}
}

/**
 * The address in the file of what perf printed, which is an address of the process or, in older versions of perf, an offset in the file. Where perf has
 * a symbol it must be the one at that place: else the file is another one by now, or was loaded elsewhere. Undefined when both can be.
 */
function addressInFile(binary: GoBinary, { address, fn, offset }: PerfFrame): number | undefined {
	const code = binary.elf.segments.filter(({ executable }) => executable);
	const candidates = new Set<number>();
	for (const { offset: start, vaddr, filesz } of code) {
		if (address >= vaddr && address < vaddr + filesz) candidates.add(address);
		if (address >= start && address < start + filesz) candidates.add(vaddr + address - start);
	}
	const fitting = [...candidates].filter((candidate) => {
		const found = binary.functionAt(candidate);
		if (found === undefined) return false;
		return fn === undefined || (found.name === fn && (offset === undefined || candidate - found.entry === offset));
	});
	return fitting.length === 1 ? fitting[0] : undefined;
}
