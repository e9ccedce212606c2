/** The Go processes of the host: what each is, and whether and why not it can be watched. */
import { GomapgrowError } from "../errors/error.ts";
import { BoundedTable } from "../lib/bounded-table.ts";
import { sanitize } from "../lib/sanitize.ts";
import type { Containers } from "../process/containers.ts";
import type { TargetProcess } from "../process/discover.ts";
import { openFileBytes } from "../process/file-bytes.ts";
import { MACHINE } from "../process/machine.ts";
import { exeInode, exePath } from "../process/procfs.ts";
import { sanitizedContainer } from "../records/container.ts";
import { type LookedAt, lookAtProgram } from "./look.ts";
import type { ProgramRecord } from "./record.ts";

const MAX_FILES = 4096;

export interface ListOptions {
	processes: readonly TargetProcess[];
	containers: Pick<Containers, "of">;
	/** Throws when this process cannot be watched, whatever it executes. */
	requireProcess: (pid: number) => void;
	/** Processor time that a process has used; undefined when it is gone. */
	cpuNs: (pid: number) => number | undefined;
}

/** A process, and its processor time at the beginning. */
export interface ListedProgram {
	record: ProgramRecord;
	cpuNs: number | undefined;
}

/**
 * Not the device: containers of one image see its files on file systems of their own, with the same inode. So each file of an image
 * is read once.
 */
function fileKey(pid: number): string {
	const { ino, mtimeNs, size } = exeInode(pid);
	return `${ino}:${mtimeNs}:${size}`;
}

function lookAtFile(pid: number): LookedAt | undefined {
	const file = openFileBytes(exePath(pid));
	try {
		return lookAtProgram(file, MACHINE);
	} finally {
		file.close();
	}
}

/** Why a process cannot be watched; undefined when it can. */
function refusal(pid: number, requireProcess: (pid: number) => void): string | undefined {
	try {
		requireProcess(pid);
		return undefined;
	} catch (error) {
		if (error instanceof GomapgrowError && error.code === "E-TARGET-PIDNS") return error.found;
		throw error;
	}
}

/** Go processes, in the order of `processes`. Those that end or may not be read meanwhile are left out. Throws E-IO. */
export function listPrograms(options: ListOptions): ListedProgram[] {
	const { processes, containers, requireProcess, cpuNs } = options;
	const files = new BoundedTable<string, LookedAt | "other">(MAX_FILES);
	const listed: ListedProgram[] = [];
	for (const { pid, comm, exe } of processes) {
		try {
			const looked = files.getOrAdd(fileKey(pid), () => lookAtFile(pid) ?? "other");
			if (looked === "other") continue;
			const container = containers.of(pid);
			const why = looked.why ?? refusal(pid, requireProcess);
			const record: ProgramRecord = {
				type: "process",
				pid,
				name: sanitize(comm),
				exe: sanitize(exe, 4096),
				...(looked.goVersion === undefined ? {} : { go_version: sanitize(looked.goVersion) }),
				...(looked.mapImpl === undefined ? {} : { map_impl: looked.mapImpl }),
				watchable: why === undefined,
				...(why === undefined ? {} : { why: sanitize(why) }),
				...(container === undefined ? {} : { container: sanitizedContainer(container) }),
			};
			listed.push({ record, cpuNs: cpuNs(pid) });
		} catch (error) {
			if (!(error instanceof GomapgrowError && /^E-(TARGET|BIN)-/.test(error.code))) throw error;
		}
	}
	return listed;
}

/** The records with the processor time that was used since; `elapsedNs` must not be 0. */
export function withProcessorUse(
	listed: readonly ListedProgram[],
	cpuNs: (pid: number) => number | undefined,
	elapsedNs: number,
): ProgramRecord[] {
	return listed.map(({ record, cpuNs: before }) => {
		const now = cpuNs(record.pid);
		if (before === undefined || now === undefined) return record;
		return { ...record, cpu_ns_per_second: Math.max(0, Math.round(((now - before) * 1e9) / elapsedNs)) };
	});
}
