/** Which process a target argument means: a PID, a process name or the path of an executable. */
import { basename } from "node:path";
import { type ErrorCode, type ErrorDetails, GomapgrowError } from "../errors/error.ts";
import { nearNames } from "./near-names.ts";
import { printable } from "./printable.ts";
import {
	exeInode,
	type FileInode,
	fileInode,
	listPids,
	MAX_PID,
	type ProcessExe,
	type ProcessStat,
	readCmdline,
	readExe,
	readStat,
	readStatus,
} from "./procfs.ts";

/** A running process with a program of its own: no kernel thread, no zombie, not this process. */
export interface TargetProcess {
	pid: number;
	/** Clock ticks since boot; tells this process from a later one with the same PID. */
	startTime: number;
	/** At most 15 bytes; untrusted text, as all the text here. */
	comm: string;
	/** Path of the executable as the process sees it; open /proc/PID/exe (exePath) to read it. */
	exe: string;
	/** The executable has been removed or replaced on disk. */
	exeDeleted: boolean;
	/** Effective user id. */
	uid: number;
	/** PID inside its own PID namespace. */
	namespacePid: number;
}

/** Longest comm that the kernel keeps (TASK_COMM_LEN 16 with the terminating zero). */
const COMM_BYTES = 15;
const LISTED = 10;

/**
 * The one process that `target` means. Digits are a PID; text with a slash is the path of an executable, and means the process
 * that runs that very file; anything else is a process name or the base name of an executable. Throws E-TARGET-NOT-FOUND,
 * E-TARGET-AMBIGUOUS, E-TARGET-GONE, E-TARGET-DENIED or E-IO.
 */
export function resolveTarget(target: string, selfPid: number = process.pid): TargetProcess {
	if (isPid(target)) return byPid(target, selfPid);
	const { matches, wanted } = target.includes("/") ? matchesOfPath(target, selfPid) : matchesOfName(target, selfPid);
	return theOnly(matches, wanted);
}

/** Whether a target argument is a PID. */
export function isPid(target: string): boolean {
	return /^\d+$/.test(target);
}

/** All processes that `target` means; as resolveTarget, but several of one name or file are no error. */
export function resolveTargets(target: string, selfPid: number = process.pid): TargetProcess[] {
	if (isPid(target)) return [byPid(target, selfPid)];
	const { matches } = target.includes("/") ? matchesOfPath(target, selfPid) : matchesOfName(target, selfPid);
	return matches.map(({ stat, exe }) => fromStat(stat, exe ?? readExe(stat.pid)));
}

/** The process with this PID. Throws as resolveTarget. */
export function describeProcess(pid: number): TargetProcess {
	const stat = readStat(pid);
	const wanted = `a running program as process ${pid}`;
	if (stat.kernelThread) {
		throw new GomapgrowError("E-TARGET-NOT-FOUND", {
			wanted,
			found: `the kernel thread [${printable(stat.comm, 40)}], which has no executable`,
		});
	}
	if (stat.ended) {
		throw new GomapgrowError("E-TARGET-GONE", {
			wanted,
			found: `a process that has ended (${printable(stat.comm, 40)}, state ${stat.state})`,
		});
	}
	return fromStat(stat, readExe(pid));
}

function fromStat(stat: ProcessStat, exe: ProcessExe): TargetProcess {
	return {
		pid: stat.pid,
		startTime: stat.startTime,
		comm: stat.comm,
		exe: exe.path,
		exeDeleted: exe.deleted,
		...readStatus(stat.pid),
	};
}

function byPid(target: string, selfPid: number): TargetProcess {
	const pid = Number(target);
	const wanted = `to find process ${printable(target, 40)}`;
	if (pid < 1 || pid > MAX_PID) {
		throw new GomapgrowError("E-TARGET-NOT-FOUND", { wanted, found: `a number that is no PID (1 to ${MAX_PID})` });
	}
	if (pid === selfPid) throw new GomapgrowError("E-TARGET-NOT-FOUND", { wanted, found: "gomapgrow itself" });
	return describeProcess(pid);
}

/** A process that a name or path can mean; `exe` is undefined where only its owner may read it. */
interface Candidate {
	stat: ProcessStat;
	exe: ProcessExe | undefined;
}

/** What `read` returns; undefined for a process that has ended meanwhile or belongs to someone else. */
function ifReadable<T>(read: () => T): T | undefined {
	try {
		return read();
	} catch (error) {
		const skipped: ErrorCode[] = ["E-TARGET-GONE", "E-TARGET-DENIED"];
		if (error instanceof GomapgrowError && skipped.includes(error.code)) return undefined;
		throw error;
	}
}

function candidates(selfPid: number): Candidate[] {
	const found: Candidate[] = [];
	for (const pid of listPids()) {
		if (pid === selfPid) continue;
		const stat = ifReadable(() => readStat(pid));
		if (stat === undefined || stat.kernelThread || stat.ended) continue;
		found.push({ stat, exe: ifReadable(() => readExe(pid)) });
	}
	return found;
}

export interface EveryProcess {
	processes: TargetProcess[];
	/** Those that only their owner may look at. */
	denied: number;
}

/** All processes with a program but our own; those that end meanwhile are left out. Throws E-IO. */
export function everyProcess(): EveryProcess {
	const processes: TargetProcess[] = [];
	let denied = 0;
	for (const pid of listPids()) {
		if (pid === process.pid) continue;
		try {
			processes.push(describeProcess(pid));
		} catch (error) {
			if (!(error instanceof GomapgrowError && error.code.startsWith("E-TARGET-"))) throw error;
			if (error.code === "E-TARGET-DENIED") denied++;
		}
	}
	return { processes, denied };
}

/** At least one process, and what was looked for. */
interface Matches {
	matches: Candidate[];
	wanted: string;
}

function matchesOfName(name: string, selfPid: number): Matches {
	const all = candidates(selfPid);
	const cut = Buffer.from(name).subarray(0, COMM_BYTES);
	const matches = all.filter(({ stat, exe }) => {
		if (exe !== undefined && basename(exe.path) === name) return true;
		if (stat.comm === name) return true;
		// Without the executable, 15 bytes are all that is known of a long name.
		return exe === undefined && Buffer.from(stat.comm).equals(cut);
	});
	const wanted = `one process named ${JSON.stringify(printable(name, 60))}`;
	if (matches.length === 0) {
		const names = all.flatMap(({ stat, exe }) => (exe === undefined ? [stat.comm] : [stat.comm, basename(exe.path)]));
		throw notFound(wanted, nearNames(name, names, 5));
	}
	return { matches, wanted };
}

function matchesOfPath(path: string, selfPid: number): Matches {
	const wanted = `one process that runs ${printable(path, 200)}`;
	const inode = fileInode(path);
	if (inode === undefined) {
		throw new GomapgrowError("E-TARGET-NOT-FOUND", {
			wanted,
			found: "no such file",
			advice: "give a PID or a process name; `gomapgrow ps` shows those that there are",
		});
	}
	const matches = candidates(selfPid).filter(({ stat, exe }) => exe !== undefined && runs(stat.pid, inode));
	if (matches.length === 0) {
		throw new GomapgrowError("E-TARGET-NOT-FOUND", {
			wanted,
			found: "no process that executes this file",
			mend: `gomapgrow run -- ${printable(path, 200)}`,
		});
	}
	return { matches, wanted };
}

function runs(pid: number, inode: FileInode): boolean {
	const exe = ifReadable(() => exeInode(pid));
	return exe !== undefined && exe.dev === inode.dev && exe.ino === inode.ino;
}

/** No process has a name that resembles the wanted one. */
export class NothingNamedSo extends GomapgrowError {
	constructor(details: Omit<ErrorDetails, "mend">) {
		super("E-TARGET-NOT-FOUND", { ...details, mend: "gomapgrow ps   # shows the Go processes that run now" });
	}
}

function notFound(wanted: string, near: string[]): GomapgrowError {
	const [nearest] = near;
	if (nearest === undefined) return new NothingNamedSo({ wanted, found: "none" });
	return new GomapgrowError("E-TARGET-NOT-FOUND", {
		wanted,
		found: `none; running under similar names: ${near.map((name) => printable(name, 40)).join(", ")}`,
		mend: `gomapgrow watch ${printable(nearest, 40)}`,
	});
}

function theOnly(matches: Candidate[], wanted: string): TargetProcess {
	const [first] = matches;
	if (first === undefined || matches.length > 1) throw ambiguous(matches, wanted);
	// Asked again where it failed before, so that the reason becomes the error.
	return fromStat(first.stat, first.exe ?? readExe(first.stat.pid));
}

function ambiguous(matches: Candidate[], wanted: string): GomapgrowError {
	const rows = matches.slice(0, LISTED).map(({ stat, exe }) => {
		const cmdline = ifReadable(() => readCmdline(stat.pid)) ?? [];
		const columns = [printable(exe?.path ?? stat.comm, 60), printable(cmdline.join(" "), 80)];
		return `    ${stat.pid}  ${columns.join("  ")}`.trimEnd();
	});
	const more = matches.length > LISTED ? [`    and ${matches.length - LISTED} more`] : [];
	return new GomapgrowError("E-TARGET-AMBIGUOUS", {
		wanted,
		found: [`${matches.length}:`, ...rows, ...more].join("\n"),
		mend: `gomapgrow watch ${matches[0]?.stat.pid ?? "PID"}`,
	});
}
