/** Which other processes execute the same file. */
import { readlinkSync, statSync } from "node:fs";
import { GomapgrowError } from "../errors/error.ts";
import { exePath, listPids, readStat } from "./procfs.ts";
import { procfsError } from "./procfs-file.ts";

/** PROC_PID_INIT_INO of include/linux/proc_ns.h: the namespace in which all processes are seen. */
const FIRST_PID_NAMESPACE = "pid:[4026531836]";

interface Likeness {
	size: bigint;
	mtimeNs: bigint;
}

/** Not device and inode: containers of one image have overlay file systems of their own, over one file that the kernel probes for all of them. */
function likenessOf(pid: number): Likeness {
	try {
		return statSync(exePath(pid), { bigint: true });
	} catch (error) {
		throw procfsError(pid, "exe", error);
	}
}

/** Whether `other` seems to execute the file that `pid` executes, which has this likeness. */
function seemsSame(other: number, pid: number, ours: Likeness): boolean {
	try {
		const { size, mtimeNs } = likenessOf(other);
		return size === ours.size && mtimeNs === ours.mtimeNs;
	} catch (error) {
		// A thread of the kernel, or one that has ended meanwhile.
		if (error instanceof GomapgrowError && error.code === "E-TARGET-GONE") return false;
		if (error instanceof GomapgrowError && error.code === "E-TARGET-DENIED") return sameName(other, pid);
		throw error;
	}
}

/** Anybody may know the name of a process. */
function sameName(other: number, pid: number): boolean {
	try {
		return readStat(other).comm === readStat(pid).comm;
	} catch (error) {
		if (error instanceof GomapgrowError && error.code === "E-TARGET-GONE") return false;
		throw error;
	}
}

/**
 * PIDs of the other processes that seem to execute the file that this one executes; undefined inside a container, from where not all processes can be
 * seen. Throws E-TARGET-…, E-IO.
 */
export function othersExecuting(pid: number): number[] | undefined {
	if (readlinkSync("/proc/self/ns/pid") !== FIRST_PID_NAMESPACE) return undefined;
	const ours = likenessOf(pid);
	return listPids().filter((other) => other !== pid && seemsSame(other, pid, ours));
}
