/**
 * What kind of file a Go program is: for which operating system, an executable or a library, complete in itself or
 * not.
 */
import type { ElfFile } from "../elf/elf-file.ts";
import { text } from "../elf/little-endian.ts";
import { SHT_NOBITS } from "../elf/sections.ts";
import type { BuildInfo } from "./buildinfo/build-info.ts";

/** EI_OSABI as Go's linker sets it (cmd/link/internal/ld/elf.go; <elf.h>). */
const OS_BY_ABI: Readonly<Record<number, string>> = { 6: "solaris", 9: "freebsd", 12: "openbsd" };
/** Vendors of notes that say the system (cmd/link/internal/ld/elf.go, elfnetbsdsig, elfopenbsdsig, elffreebsdsig). */
const OS_BY_NOTE: Readonly<Record<string, string>> = { FreeBSD: "freebsd", NetBSD: "netbsd", OpenBSD: "openbsd" };
/** Both run Linux's kernel. */
const LINUX = new Set(["linux", "android"]);
const LIBRARY_MODES = new Set(["c-shared", "plugin", "shared"]);
/**
 * Note of a program that is linked with -linkshared: the libraries with its packages, a line each (cmd/link,
 * ELF_NOTE_GODEPS_TAG).
 */
const NT_GO_DEPS = 3;
/** UPX puts this into the first kilobyte (l_info, behind the program headers). */
const UPX = "UPX!";
const UPX_REACH = 1024;

/** GOOS of the program. */
export function operatingSystem(elf: ElfFile, { settings }: BuildInfo): string {
	const built = settings.get("GOOS");
	if (built !== undefined) {
		return built;
	}
	const noted = elf.notes.map(({ name }) => OS_BY_NOTE[name]).find((name) => name !== undefined);
	return noted ?? OS_BY_ABI[elf.header.osAbi] ?? "linux";
}

/** Whether Linux executes it. */
export function isForLinux(os: string): boolean {
	return LINUX.has(os);
}

/** The build mode of a library, which other programs load; undefined for what is executed. Known since Go 1.18. */
export function libraryMode({ settings }: BuildInfo): string | undefined {
	const mode = settings.get("-buildmode");
	return mode !== undefined && LIBRARY_MODES.has(mode) ? mode : undefined;
}

/** The library with the runtime of a program that was linked with -linkshared; undefined for all others. */
export function sharedRuntime(elf: ElfFile): string | undefined {
	const note = elf.notes.find(({ name, type }) => name === "Go" && type === NT_GO_DEPS);
	return note && text(note.desc).split("\n")[0];
}

/** Whether only debug information is in the file, and its code elsewhere (objcopy --only-keep-debug, eu-strip -f). */
export function isDebugFile(elf: ElfFile): boolean {
	return elf.section(".text")?.type === SHT_NOBITS;
}

/** Whether UPX has packed it. */
export function isPacked({ source }: ElfFile): boolean {
	return text(source.read(0, Math.min(UPX_REACH, source.size))).includes(UPX);
}
