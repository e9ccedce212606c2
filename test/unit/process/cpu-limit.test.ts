import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allowedProcessors, cgroupPaths, parseCpuMax } from "../../../src/process/cpu-limit.ts";

describe("what a cgroup allows", () => {
	let folder = "";
	const file = (path: string, text: string): void => {
		mkdirSync(join(folder, path, ".."), { recursive: true });
		writeFileSync(join(folder, path), text);
	};
	beforeAll(() => {
		folder = mkdtempSync(join(tmpdir(), "gomapgrow-cgroup-"));
	});
	afterAll(() => rmSync(folder, { recursive: true }));
	const allowed = (pid: number) => allowedProcessors(pid, join(folder, "proc"), join(folder, "cgroup"));

	test("is what the strictest of its parents allows", () => {
		file("proc/1/cgroup", "0::/pods/pod1/container\n");
		file("cgroup/pods/pod1/container/cpu.max", "max 100000\n");
		file("cgroup/pods/pod1/cpu.max", "10000 100000\n");
		file("cgroup/pods/cpu.max", "200000 100000\n");
		expect(allowed(1)).toBe(0.1);
	});

	test("is read of version 1, too", () => {
		file("proc/2/cgroup", "12:memory:/x\n4:cpu,cpuacct:/docker/abc\n0::/\n");
		file("cgroup/cpu/docker/abc/cpu.cfs_quota_us", "50000\n");
		file("cgroup/cpu/docker/abc/cpu.cfs_period_us", "100000\n");
		file("cgroup/cpu/docker/cpu.cfs_quota_us", "-1\n");
		file("cgroup/cpu/docker/cpu.cfs_period_us", "100000\n");
		expect(allowed(2)).toBe(0.5);
	});

	test("is not known without files, of a process that is gone, and of nonsense", () => {
		file("proc/3/cgroup", "0::/nowhere\n");
		expect(allowed(3)).toBeUndefined();
		expect(allowed(4)).toBeUndefined();
		for (const text of ["", "max 100000", "x y", "100 0", "-1 100000"]) expect(parseCpuMax(text)).toBeUndefined();
		expect(cgroupPaths("nonsense\n::\n")).toEqual({});
	});
});
