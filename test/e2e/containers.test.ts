/** Programs in real containers (containerd, runc), on overlay file systems: what they are called, and that every growth is counted. */
import { describe, expect } from "bun:test";
import { randomBytes } from "node:crypto";
import { copyFileSync, mkdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import type { ProgramRecord } from "../../src/programs/record.ts";
import { missingCommands, missingForTracing, testWith } from "../support/capability.ts";
import { Containerd, missingContainerd } from "../support/containerd.ts";
import { expectError } from "../support/expect-error.ts";
import { run } from "../support/go-binaries.ts";
import { type Program, start, temporaryFolder } from "../support/processes.ts";
import { GOMAPGROW, startGomapgrow, type Trace, toTrace } from "../support/trace.ts";
import { buildCounted } from "./build-program.ts";

const TIMEOUT = 90_000;
const folder = temporaryFolder("containers");
/** runc refuses one that there is already, also of another test that was killed. */
const [ID, OTHER] = [randomBytes(32).toString("hex"), randomBytes(32).toString("hex")] as const;
/** Insertions and keys of each map. */
const WORK = ["20000", "200"];

/** An overlay over the folder with the program; `copiedUp`: with a copy of it in the upper layer, as after `touch` in a container. */
function overlay(name: string, lower: string, copiedUp: boolean): string {
	const [upper, work, merged] = ["upper", "work", "merged"].map((part) => join(folder, name, part)) as [
		string,
		string,
		string,
	];
	for (const path of [upper, work, merged]) mkdirSync(path, { recursive: true });
	run(["mount", "-t", "overlay", "overlay", "-o", `lowerdir=${lower},upperdir=${upper},workdir=${work}`, merged]);
	if (copiedUp) utimesSync(join(merged, "bin/counted"), 1e9, 1e9);
	return merged;
}

/** What the program's own runtime counted between its two lines. */
function counted(output: string): Record<string, number> {
	const callsAt = (phase: string): Record<string, number> => {
		const line = new RegExp(`^{"phase":"${phase}".*}\r?$`, "m").exec(output)?.[0];
		if (line === undefined) throw new Error(`no line of phase ${phase} in ${output}`);
		return (JSON.parse(line) as { calls: Record<string, number> }).calls;
	};
	const [before, after] = [callsAt("ready"), callsAt("end")];
	return Object.fromEntries(Object.keys(after).map((fn) => [fn, (after[fn] ?? 0) - (before[fn] ?? 0)]));
}

/** Every growth of a process is a record: as many of each function as the program counted. */
function expectEveryGrowth(trace: Trace, pid: number, truth: Record<string, number>): void {
	const growths = trace.growths.filter((growth) => growth.pid === pid);
	expect(growths.length).toBeGreaterThan(50);
	const seen: Record<string, number> = {};
	for (const { fn } of growths) seen[fn] = (seen[fn] ?? 0) + 1;
	for (const [fn, calls] of Object.entries(seen)) expect([fn, calls]).toEqual([fn, truth[fn] ?? 0]);
}

/** A folder with the program, to be a lower layer. */
function layer(): string {
	const lower = join(folder, "lower");
	for (const path of ["bin", "proc", "dev", "sys"]) mkdirSync(join(lower, path), { recursive: true });
	copyFileSync(buildCounted("1.27"), join(lower, "bin/counted"));
	return lower;
}

const started = async (program: Program): Promise<Program> => {
	await program.untilOutput(/^\{"phase":"ready".*\}/m);
	return program;
};

describe("an executable on an overlay file system", () => {
	testWith(missingForTracing(), missingCommands("mount", "umount"))(
		"is the one of its layer, the upper or the lower",
		async () => {
			const lower = layer();
			const roots = [overlay("plain", lower, false), overlay("changed", lower, true)] as const;
			const programs: Program[] = [];
			try {
				for (const root of roots)
					programs.push(await started(start([join(root, "bin/counted"), ...WORK], { stdin: "pipe" })));
				const pids = programs.map(({ pid }) => pid);
				const watch = startGomapgrow(["watch", "--json", "--interval", "100ms", ...pids.map(String)]);
				await watch.untilOutput(/^\{"type":"window"/m);
				for (const program of programs) program.writeLine("go");
				for (const program of programs) await program.finish(30_000);
				const trace = toTrace(watch, await watch.finish());
				expect(trace.targets.map(({ pid }) => pid).sort()).toEqual([...pids].sort());
				for (const { pid, stdout } of programs) expectEveryGrowth(trace, pid, counted(stdout));
			} finally {
				for (const program of programs) await program.stop();
				run(["umount", ...roots]);
			}
		},
		TIMEOUT,
	);
});

describe("containerd with runc", () => {
	testWith(missingForTracing(), missingCommands("mount", "umount"), missingContainerd())(
		"gives names to `ps` and `watch`, and processes by these names are observed",
		async () => {
			const lower = layer();
			const roots = [overlay("first", lower, false), overlay("second", lower, true)] as const;
			const annotations = (container: string): Record<string, string> => ({
				"io.kubernetes.cri.sandbox-name": "web-6d5f",
				"io.kubernetes.cri.sandbox-namespace": "shop",
				"io.kubernetes.cri.container-name": container,
				"io.kubernetes.cri.image-name": "example.org/shop:1",
			});
			const names = (id: string, name: string) => ({
				...{ id, name, pod: "web-6d5f", namespace: "shop", image: "example.org/shop:1" },
			});
			const containerd = await Containerd.start(join(folder, "state"));
			try {
				const [server, worker] = [
					containerd.run(ID, {
						annotations: annotations("server"),
						root: roots[0],
						command: ["/bin/counted", ...WORK],
					}),
					containerd.run(OTHER, {
						annotations: annotations("worker"),
						root: roots[1],
						command: ["/bin/counted", ...WORK],
					}),
				] as const;
				await started(server);
				await started(worker);

				const ps = start([GOMAPGROW, "ps", "--json"]);
				await ps.finish();
				const rows = ps.stdout
					.trim()
					.split("\n")
					.map((line) => JSON.parse(line) as ProgramRecord);
				const pidIn = (id: string): number => rows.find(({ container }) => container?.id === id)?.pid ?? 0;
				expect(rows.find(({ pid }) => pid === pidIn(ID))).toMatchObject({
					...{ name: "counted", exe: "/bin/counted", watchable: true, map_impl: "swiss" },
					container: names(ID, "server"),
				});
				expect(rows.find(({ pid }) => pid === pidIn(OTHER))?.container).toEqual(names(OTHER, "worker"));

				const watch = (...args: string[]) => startGomapgrow(["watch", "--json", "--interval", "100ms", ...args]);
				await expectError(watch("--container", "nobody"), "E-TARGET-NOT-FOUND");
				await expectError(watch("--container", "server", "--namespace", "other"), "E-TARGET-NOT-FOUND");
				const one = watch("--duration", "300ms", "--container", OTHER.slice(0, 12));
				expect(toTrace(one, await one.finish()).targets.map(({ pid }) => pid)).toEqual([pidIn(OTHER)]);

				const both = watch("--namespace", "shop", "--pod", "web-*");
				await both.untilOutput(/^\{"type":"window"/m);
				for (const container of [server, worker]) container.writeLine("go");
				for (const container of [server, worker]) await container.finish(30_000);
				const trace = toTrace(both, await both.finish(30_000));
				expect(trace.targets.map(({ container }) => container?.name).sort()).toEqual(["server", "worker"]);
				expectEveryGrowth(trace, pidIn(ID), counted(server.stdout));
				expectEveryGrowth(trace, pidIn(OTHER), counted(worker.stdout));
			} finally {
				await containerd.stop();
				run(["umount", ...roots]);
			}
		},
		TIMEOUT,
	);
});
