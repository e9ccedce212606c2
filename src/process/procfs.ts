/** What /proc says about a process (proc_pid_stat(5), proc_pid_status(5), proc_pid_maps(5)). */
import { readdirSync, readlinkSync, statSync } from "node:fs";
import { GomapgrowError } from "../errors/error.ts";
import { errnoCode, procfsError, readProcfs } from "./procfs-file.ts";

/** Greatest PID that Linux gives out (include/linux/threads.h, PID_MAX_LIMIT). */
export const MAX_PID = 4 << 20;

export interface ProcessStat {
	pid: number;
	/** At most 15 bytes, as the process set it: untrusted text. */
	comm: string;
	/** "R" running, "S" sleeping, "Z" zombie, "X" dead, and others. */
	state: string;
	parentPid: number;
	/** Start in clock ticks since boot: with the PID it identifies a process for as long as the machine is up. */
	startTime: number;
	/** A thread of the kernel: it has no executable. */
	kernelThread: boolean;
	/** Ended, though its parent has not noticed yet. */
	ended: boolean;
}

export interface ProcessStatus {
	/** Effective user id. */
	uid: number;
	/** The process's PID in its own PID namespace; the same as its PID outside containers. */
	namespacePid: number;
}

export interface ProcessExe {
	/** Path of the executable as the process sees it, without the kernel's " (deleted)". */
	path: string;
	/** The file has been removed or replaced since the process started. */
	deleted: boolean;
}

export interface FileInode {
	dev: bigint;
	ino: bigint;
	/** When its contents were changed last: a file can be written anew in place. */
	mtimeNs: bigint;
	/** In bytes. */
	size: number;
}

export interface MemoryMapping {
	start: number;
	end: number;
	/** "r-xp" for instance. */
	permissions: string;
	/** Offset in the file, in bytes. */
	offset: number;
	inode: number;
	/** Path of the file, "[stack]" and the like, or "". */
	path: string;
}

// include/linux/sched.h
const PF_KTHREAD = 0x00200000;

function malformed(pid: number, file: string, found: string): GomapgrowError {
	return new GomapgrowError("E-IO", { wanted: `to understand /proc/${pid}/${file}`, found });
}

/** Throws E-TARGET-GONE, E-TARGET-DENIED or E-IO; a zombie still has a stat. */
export function readStat(pid: number): ProcessStat {
	const text = readProcfs(pid, "stat").toString("utf8");
	// The name stands in parentheses and may itself contain spaces, parentheses and newlines.
	const open = text.indexOf("(");
	const close = text.lastIndexOf(")");
	const fields = text
		.slice(close + 1)
		.trim()
		.split(" ");
	const state = fields[0] ?? "";
	const numbers = [fields[1], fields[6], fields[19]].map(Number);
	const [parentPid, flags, startTime] = numbers as [number, number, number];
	if (open < 0 || close < open || state.length !== 1 || !numbers.every(Number.isSafeInteger)) {
		throw malformed(pid, "stat", JSON.stringify(text.slice(0, 80)));
	}
	return {
		pid,
		comm: text.slice(open + 1, close),
		state,
		parentPid,
		startTime,
		kernelThread: (flags & PF_KTHREAD) !== 0,
		ended: state === "Z" || state === "X" || state === "x",
	};
}

/** Throws E-TARGET-GONE, E-TARGET-DENIED or E-IO. */
export function readStatus(pid: number): ProcessStatus {
	const text = readProcfs(pid, "status").toString("utf8");
	const uid = Number(/^Uid:\t\d+\t(\d+)/m.exec(text)?.[1]);
	if (!Number.isSafeInteger(uid)) throw malformed(pid, "status", "no Uid line");
	// NSpid has one PID per nested namespace, the innermost last (Linux 4.1).
	const namespacePid = Number(/^NSpid:.*\t(\d+)$/m.exec(text)?.[1] ?? pid);
	return { uid, namespacePid };
}

/** Bytes of its own memory that are swapped out; 0 where the kernel does not say. Throws as readStatus. */
export function readSwappedBytes(pid: number): number {
	const kilobytes = /^VmSwap:\s+(\d+) kB$/m.exec(readProcfs(pid, "status").toString("utf8"))?.[1];
	return kilobytes === undefined ? 0 : Number(kilobytes) * 1024;
}

/** Bytes of its own memory, swapped out or not; undefined when it has ended or may not be looked at. */
export function readAnonymousBytes(pid: number): number | undefined {
	try {
		const text = readProcfs(pid, "status").toString("utf8");
		const kilobytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1] ?? 0);
		return (kilobytes("RssAnon") + kilobytes("VmSwap")) * 1024;
	} catch (error) {
		if (error instanceof GomapgrowError) return undefined;
		throw error;
	}
}

/** Whether a process is in our PID namespace, or in the very same as another one. Throws E-TARGET-GONE, E-TARGET-DENIED or E-IO. */
export function sharesPidNamespace(pid: number): boolean {
	try {
		return readlinkSync(`/proc/${pid}/ns/pid`) === readlinkSync("/proc/self/ns/pid");
	} catch (error) {
		throw procfsError(pid, "PID namespace", error);
	}
}

/** The arguments, the command first; empty for kernel threads and zombies. Throws E-TARGET-GONE, E-TARGET-DENIED or E-IO. */
export function readCmdline(pid: number): string[] {
	const text = readProcfs(pid, "cmdline").toString("utf8");
	return text === "" ? [] : text.replace(/\0$/, "").split("\0");
}

/** Path to open in order to read the executable of a process, even if it was deleted or is in another mount namespace. */
export function exePath(pid: number): string {
	return `/proc/${pid}/exe`;
}

/** Throws E-TARGET-GONE (also for kernel threads and zombies, which have no executable), E-TARGET-DENIED or E-IO. */
export function readExe(pid: number): ProcessExe {
	let link: string;
	try {
		link = readlinkSync(exePath(pid));
	} catch (error) {
		throw procfsError(pid, "exe", error);
	}
	if (!link.endsWith(" (deleted)")) return { path: link, deleted: false };
	// A file may really be called "x (deleted)": then its inode is the process's.
	const inode = exeInode(pid);
	const named = fileInode(link);
	if (named !== undefined && named.dev === inode.dev && named.ino === inode.ino) return { path: link, deleted: false };
	return { path: link.slice(0, -" (deleted)".length), deleted: true };
}

function inodeAt(path: string): FileInode {
	const { dev, ino, mtimeNs, size } = statSync(path, { bigint: true });
	return { dev, ino, mtimeNs, size: Number(size) };
}

/** Identity of the file that the process executes. Throws E-TARGET-GONE, E-TARGET-DENIED or E-IO. */
export function exeInode(pid: number): FileInode {
	try {
		return inodeAt(exePath(pid));
	} catch (error) {
		throw procfsError(pid, "exe", error);
	}
}

/** Identity of the file at a path; undefined when there is none or it cannot be reached. */
export function fileInode(path: string): FileInode | undefined {
	try {
		return inodeAt(path);
	} catch (error) {
		if (errnoCode(error) === undefined) throw error;
		return undefined;
	}
}

const MAPS_LINE = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) [0-9a-f]+:[0-9a-f]+ (\d+) *(.*)$/;

/** Throws E-TARGET-GONE, E-TARGET-DENIED or E-IO. Mappings above 2^53 (x86-64's vsyscall page) are left out. */
export function readMaps(pid: number): MemoryMapping[] {
	return parseMaps(readProcfs(pid, "maps").toString("utf8"));
}

/** How long a process that is executing a program is waited for. */
const EXEC_PATIENCE_MS = 100;

/**
 * As readMaps. A process in the middle of execve has its new executable already, but nothing of it is mapped for a moment: it is waited for,
 * some milliseconds.
 */
export function readLoadedMaps(pid: number): MemoryMapping[] {
	for (let waited = 0; ; waited++) {
		const mappings = readMaps(pid);
		if (mappings.some(({ inode }) => inode !== 0) || waited === EXEC_PATIENCE_MS) return mappings;
		Bun.sleepSync(1);
	}
}

const AT_ENTRY = 9;

/** Run-time address of the first instruction, before which an interpreter may have run; 0 when unknown. Throws E-TARGET-GONE, E-TARGET-DENIED or E-IO. */
export function readEntryPoint(pid: number): number {
	return parseEntryPoint(readProcfs(pid, "auxv"));
}

/** AT_ENTRY of an auxiliary vector: pairs of 64-bit words (getauxval(3)). */
export function parseEntryPoint(vector: Buffer): number {
	for (let at = 0; at + 16 <= vector.length; at += 16) {
		if (vector.readBigUInt64LE(at) === BigInt(AT_ENTRY)) return Number(vector.readBigUInt64LE(at + 8));
	}
	return 0;
}

/** The text of a maps file; lines that do not look like a mapping (one cut off by the end) are left out. */
export function parseMaps(text: string): MemoryMapping[] {
	const mappings: MemoryMapping[] = [];
	for (const line of text.split("\n")) {
		const match = MAPS_LINE.exec(line);
		if (match === null) continue;
		const [, start = "", end = "", permissions = "", offset = "", inode = "", path = ""] = match;
		const mapping = {
			start: Number.parseInt(start, 16),
			end: Number.parseInt(end, 16),
			permissions,
			offset: Number.parseInt(offset, 16),
			inode: Number(inode),
			// The kernel writes a newline in a path as \012.
			path: path.replaceAll("\\012", "\n"),
		};
		if (Number.isSafeInteger(mapping.end)) mappings.push(mapping);
	}
	return mappings;
}

/** PIDs of all processes that can be seen, ascending. Throws E-IO when /proc is not mounted. */
export function listPids(): number[] {
	let names: string[];
	try {
		names = readdirSync("/proc");
	} catch (error) {
		throw new GomapgrowError("E-IO", {
			wanted: "to list the processes in /proc",
			found: errnoCode(error) ?? String(error),
			mend: "mount -t proc proc /proc",
			cause: error,
		});
	}
	return names
		.filter((name) => /^[1-9]\d*$/.test(name))
		.map(Number)
		.sort((a, b) => a - b);
}
