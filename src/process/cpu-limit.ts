/** How much processor time a process's cgroup allows it (Linux Documentation/admin-guide/cgroup-v2.rst, cpu.max; scheduler/sched-bwc.rst for version 1). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { errnoCode } from "./procfs-file.ts";

/** Deeper hierarchies are not looked into. */
const MAX_DEPTH = 32;
/** Files that are not there, or are not for us, limit nothing. */
const HIDDEN = new Set(["ENOENT", "EACCES", "EPERM", "ESRCH", "ENOTDIR", "EINVAL"]);

function read(path: string): string | undefined {
	try {
		return readFileSync(path, "latin1");
	} catch (error) {
		if (HIDDEN.has(errnoCode(error) ?? "")) return undefined;
		throw error;
	}
}

/** "max 100000" or "20000 100000": processors; undefined: no limit, or nothing that can be read as one. */
export function parseCpuMax(text: string): number | undefined {
	const match = /^(\d+) (\d+)\s*$/.exec(text);
	const [quota, period] = [Number(match?.[1]), Number(match?.[2])];
	return match === null || !(period > 0) ? undefined : quota / period;
}

/** The path of the process's cgroup in /proc/PID/cgroup: of version 2, and of the "cpu" controller of version 1. */
export function cgroupPaths(text: string): { unified?: string; cpu?: string } {
	const paths: { unified?: string; cpu?: string } = {};
	for (const line of text.split("\n")) {
		const match = /^\d+:([^:]*):(\/.*)$/.exec(line);
		if (match === null) continue;
		const [, controllers = "", path = "/"] = match;
		if (controllers === "") paths.unified = path;
		else if (controllers.split(",").includes("cpu")) paths.cpu = path;
	}
	return paths;
}

/** The path and those of its parents, innermost first. */
function withParents(path: string): string[] {
	const parts = path.split("/").filter((part) => part !== "" && part !== "..");
	const all: string[] = [];
	for (let depth = parts.length; depth >= 0 && all.length < MAX_DEPTH; depth--)
		all.push(parts.slice(0, depth).join("/"));
	return all;
}

/** Processors that the strictest cgroup of the process allows; undefined: no limit is known. */
export function allowedProcessors(pid: number, proc = "/proc", cgroups = "/sys/fs/cgroup"): number | undefined {
	const own = read(join(proc, String(pid), "cgroup"));
	if (own === undefined) return undefined;
	const { unified, cpu } = cgroupPaths(own);
	const limits: number[] = [];
	for (const path of unified === undefined ? [] : withParents(unified)) {
		const limit = parseCpuMax(read(join(cgroups, path, "cpu.max")) ?? "");
		if (limit !== undefined) limits.push(limit);
	}
	for (const path of cpu === undefined ? [] : withParents(cpu)) {
		const of = (name: string): string => (read(join(cgroups, "cpu", path, name)) ?? "").trim();
		const limit = parseCpuMax(`${of("cpu.cfs_quota_us")} ${of("cpu.cfs_period_us")}`);
		if (limit !== undefined) limits.push(limit);
	}
	return limits.length === 0 ? undefined : Math.min(...limits);
}
