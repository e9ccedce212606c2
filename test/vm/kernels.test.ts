/**
 * The built executable on kernels other than this machine's: each of Debian's from 5.10 on is booted in QEMU, and what gomapgrow says there is compared
 * with what the observed programs counted themselves, with what is known of them, and with what it says on this machine. `make test-kernels` boots all of
 * them, `make test` the oldest and the newest (GOMAPGROW_KERNELS).
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout } from "bun:test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { openGoBinary } from "../../src/gobin/go-binary.ts";
import type { EndRecord, GomapgrowRecord, GrowthRecord, OverlapRecord, TargetRecord } from "../../src/model/records.ts";
import { makePlan } from "../../src/plan/make-plan.ts";
import { buildCounted, buildProgram } from "../e2e/build-program.ts";
import { missingForTracing, testWith } from "../support/capability.ts";
import { fileSource } from "../support/go-binaries.ts";
import { GOMAPGROW, ledgerFaults, parseRecords, runTraced, withoutDuration } from "../support/trace.ts";
import { expectGolden } from "../unit/output/golden.ts";
import {
	type Arch,
	archOf,
	boot,
	kernelOf,
	missingForMachines,
	type Outcome,
	packRoot,
	type RootFile,
} from "./machine.ts";

/** What each kernel has to offer. One that lacks something fails, although gomapgrow could do without. */
const KERNELS: Record<string, { attach: RegExp; cookies: boolean; multi: boolean }> = {
	"5.10": { attach: /told apart by address/, cookies: false, multi: false },
	"6.1": { attach: /with cookies/, cookies: true, multi: false },
	"6.12": { attach: /uprobe_multi/, cookies: true, multi: true },
	"6.18": { attach: /uprobe_multi/, cookies: true, multi: true },
	"7": { attach: /uprobe_multi/, cookies: true, multi: true },
	"arm64/5.10": { attach: /told apart by address/, cookies: false, multi: false },
	"arm64/6.12": { attach: /uprobe_multi/, cookies: true, multi: true },
	"arm64/7": { attach: /uprobe_multi/, cookies: true, multi: true },
};

const SERIES = process.env.GOMAPGROW_KERNELS?.split(" ") ?? Object.keys(KERNELS);
const missing = missingForMachines(SERIES);
const kernelTest = testWith(missing);

const IMPLS = ["classic", "swiss"] as const;
const VERSIONS = { classic: "1.23", swiss: "1.27" } as const;
type Impl = (typeof IMPLS)[number];

/** Emulated machines at the same time. */
const AT_ONCE = 2;
/** Far more than it takes: a minute on a processor of its own. */
const BOOT_MS = 900_000;
setDefaultTimeout(BOOT_MS * SERIES.length);

const work = resolve(import.meta.dir, "../../dist/vm");
/** By machine and name: "arm64 grow-swiss". */
const programs = new Map<string, string>();
const machines = new Map<string, PromiseWithResolvers<Outcome>>();

function program(arch: Arch, name: string): string {
	const path = programs.get(`${arch} ${name}`);
	if (path === undefined) throw new Error(`no program ${name} for ${arch}`);
	return path;
}

/** What a breakpoint is. */
const BREAKPOINT = { x64: [0xcc], arm64: [0xa0, 0x00, 0x20, 0xd4] } as const;

/** Address and length of each probed instruction, for the guest, which looks at them in a process's memory. */
function siteList(path: string): string {
	const { probes } = makePlan(openGoBinary(fileSource(path)));
	return probes.map(({ site }) => `${site.address} ${site.bytes.length}\n`).join("");
}

function prepare(arch: Arch): string {
	mkdirSync(work, { recursive: true });
	const goArch = arch === "x64" ? "amd64" : arch;
	const build = (name: string, impl: Impl, pie = false): string =>
		buildProgram(name, VERSIONS[impl], { stripped: true, pie, arch: goArch });
	const built: Record<string, string> = { "grow-pie": build("grow", "classic", true) };
	for (const impl of IMPLS) {
		built[`iterate-${impl}`] = build("iterate", impl);
		built[`grow-${impl}`] = build("grow", impl);
		built[`counted-${impl}`] = buildCounted(VERSIONS[impl], goArch);
	}
	const executable = arch === "arm64" ? resolve(import.meta.dir, "../../dist/gomapgrow-arm64") : GOMAPGROW;
	const files: RootFile[] = [{ path: "bin/gomapgrow", from: executable }];
	for (const [name, path] of Object.entries(built)) {
		programs.set(`${arch} ${name}`, path);
		const sites = join(work, `${arch}-${name}.sites`);
		writeFileSync(sites, siteList(path));
		files.push({ path: `programs/${name}`, from: path }, { path: `programs/${name}.sites`, from: sites });
	}
	const archive = rootOf(arch);
	packRoot(arch, files, archive);
	return archive;
}

function rootOf(arch: Arch): string {
	return join(work, `root-${arch}.cpio`);
}

/** Boots all, a few at a time, in the background: the tests of a kernel wait for theirs. */
function bootAll(): void {
	const waiting = [...SERIES];
	for (const arch of new Set(SERIES.map(archOf))) prepare(arch);
	for (const series of waiting) {
		const machine = Promise.withResolvers<Outcome>();
		// Without a listener a failure would end the test run before the tests of that kernel can report it.
		machine.promise.catch(() => {});
		machines.set(series, machine);
	}
	const worker = async (): Promise<void> => {
		for (let series = waiting.shift(); series !== undefined; series = waiting.shift()) {
			const machine = machines.get(series);
			try {
				const outcome = await boot(kernelOf(series), rootOf(archOf(series)), work, BOOT_MS);
				console.log(`Linux ${outcome.files.get("release")?.trim()}: ${outcome.seconds.toFixed(1)} s`);
				machine?.resolve(outcome);
			} catch (error) {
				machine?.reject(error);
			}
		}
	};
	for (let i = 0; i < AT_ONCE; i++) void worker();
}

// While this file is read, not in a hook: the tests of a kernel begin when its machine is off.
if (missing === undefined) bootAll();
afterAll(() => {
	for (const arch of ["x64", "arm64"] as const) rmSync(rootOf(arch), { force: true });
});

/** As `od -An -tx1` prints bytes. */
function dump(bytes: Iterable<number>): string {
	return [...bytes].map((byte) => ` ${byte.toString(16).padStart(2, "0")}`).join("");
}

type Calls = Record<string, number>;
/** What test/programs/iterate prints, by case. */
type Truth = Record<string, { growths: number; overlaps: number }>;

interface Records {
	target: TargetRecord;
	growths: GrowthRecord[];
	overlaps: OverlapRecord[];
	end: EndRecord;
}

function recordsOf(text: string): Records {
	const records: GomapgrowRecord[] = parseRecords(text);
	const target = records.find((record) => record.type === "target");
	const end = records.at(-1);
	if (target === undefined || end?.type !== "end")
		throw new Error(`records without target or end: ${text.slice(-2000)}`);
	return {
		target,
		growths: records.filter((record) => record.type === "growth"),
		overlaps: records.filter((record) => record.type === "overlap"),
		end,
	};
}

/** The program's own numbers at that moment. */
function countedBy(text: string, phase: "ready" | "end"): Calls {
	const line = text.split("\n").find((each) => each.startsWith(`{"phase":"${phase}"`));
	if (line === undefined) throw new Error(`no line of phase ${phase} in ${text.slice(-2000)}`);
	return (JSON.parse(line) as { calls: Calls }).calls;
}

function called(calls: Readonly<Record<string, unknown>>): Record<string, unknown> {
	return Object.fromEntries(Object.entries(calls).filter(([, n]) => n !== 0));
}

function expectComplete({ growths, end }: Records): void {
	expect(ledgerFaults(end.ledger)).toEqual([]);
	expect(end.complete).toBe(true);
	expect(growths).toHaveLength(end.ledger.growth.hits);
}

/** The growths of the program's own map, without what differs from run to run. */
function ownGrowths({ growths }: Records): Partial<GrowthRecord>[] {
	const own = growths.filter(({ stack }) => stack.some(({ fn }) => fn.startsWith("main.")));
	let splits = 0;
	return own.map((growth) => {
		const { impl, fn, kind, cause, goid, map_type, count, capacity_before, capacity_after, bytes, iterating, stack } =
			growth;
		// The first split comes at a known count, when the next ones do depends on the hashes.
		if (kind === "split") splits++;
		return {
			...{ impl, fn, kind, cause, map_type, capacity_before, capacity_after, stack },
			...(goid === undefined ? {} : { goid }),
			...(splits > 1 ? {} : { count }),
			...(bytes === undefined ? {} : { bytes }),
			...(iterating === undefined ? {} : { iterating }),
		};
	});
}

/** 2000 keys one by one: see test/programs/grow. */
const COUNTS: Record<Impl, (number | undefined)[]> = {
	classic: [8, 13, 26, 52, 104, 208, 416, 832, 1664],
	swiss: [8, 14, 28, 56, 112, 224, 448, 896, undefined, undefined],
};

const hostTest = testWith(missing, missingForTracing());

describe.each(SERIES.map((series): [string] => [series]))("Linux %s", (series) => {
	const wanted = KERNELS[series];
	const arch = archOf(series);
	if (wanted === undefined) throw new Error(`nothing is known of Linux ${series}`);
	let outcome: Outcome = { files: new Map(), seconds: 0 };
	const file = (name: string): string => {
		const text = outcome.files.get(name);
		if (text === undefined) throw new Error(`no ${name}; there are ${[...outcome.files.keys()].join(" ")}`);
		return text;
	};

	beforeAll(async () => {
		if (missing !== undefined) return;
		const machine = machines.get(series);
		if (machine === undefined) throw new Error("nothing was booted");
		outcome = await machine.promise;
	});

	/** Exit code of a step, with what it wrote to standard error when it is another one. */
	const expectCode = (step: string, code: number): void => {
		const errors = outcome.files.get(`${step}.err`) ?? "";
		expect({ step, code: Number(file(`${step}.code`)), errors: code === 0 ? errors : "" }).toMatchObject({
			step,
			code,
		});
	};

	kernelTest("the machine ran that kernel, and all checks", () => {
		expect(file("release").trim()).toBe(kernelOf(series).release);
		expect(outcome.files.get("faults")).toBeUndefined();
		expect(file("checks.code").trim()).toBe("0");
	});

	kernelTest("doctor", async () => {
		expectCode("doctor", 0);
		const { version, commit, kernel, hit_cost_ns, ...rest } = JSON.parse(file("doctor.out"));
		expect([version, commit]).toEqual([expect.stringMatching(/^\d+\./), expect.stringMatching(/./)]);
		expect(kernel).toBe(kernelOf(series).release);
		// What a hit costs in an emulated machine says nothing, but that it was measured.
		expect(hit_cost_ns.counted).toBeGreaterThan(0);
		expect(rest.ready).toBe(true);
		expect(rest.attach).toMatch(wanted.attach);
		const works = Object.fromEntries(rest.checks.map(({ name, ok }: { name: string; ok: boolean }) => [name, ok]));
		expect(works).toMatchObject({
			"BPF programs": true,
			"BPF ring buffer": true,
			"uprobe perf events": true,
			"attach cookies": wanted.cookies,
			uprobe_multi: wanted.multi,
		});
		await expectGolden(`doctor-${series.replace("/", "-")}.json`, `${JSON.stringify(rest, null, "\t")}\n`);
	});

	kernelTest("run: a position-independent program, or that this kernel cannot observe it from its start", () => {
		if (!wanted.cookies) {
			expectCode("run-pie", 3);
			expect(file("run-pie.err")).toContain("error[E-HOST-UPROBE]: wanted attach cookies (Linux 5.15)");
			return;
		}
		expectCode("run-pie", 0);
		const records = recordsOf(file("run-pie.out"));
		expectComplete(records);
		expect(ownGrowths(records).map(({ count }) => count)).toEqual(COUNTS.classic);
	});

	describe.each(IMPLS.map((impl): [Impl] => [impl]))("%s maps", (impl) => {
		kernelTest("run: every growth, with type, kind and count", () => {
			expectCode(`run-${impl}`, 0);
			const records = recordsOf(file(`run-${impl}.out`));
			expectComplete(records);
			expect(withoutDuration(records.growths, records.end)).toBe(0);
			const own = ownGrowths(records);
			expect(own.map(({ count }) => count)).toEqual(COUNTS[impl]);
			expect(new Set(own.map(({ map_type }) => map_type))).toEqual(new Set(["map[int]int"]));
			expect(
				new Set(
					own.map(({ stack }) =>
						stack
							?.map(({ fn }) => fn)
							.slice(2)
							.join(),
					),
				),
			).toEqual(new Set(["main.growInt,main.main,runtime.main"]));
		});

		// Programs for another machine do not run here.
		if (arch === process.arch)
			hostTest("run: the same as on this machine", async () => {
				const host = await runTraced([program(arch, `grow-${impl}`), "int", "2000"]);
				const here = recordsOf(host.stdout);
				const there = recordsOf(file(`run-${impl}.out`));
				expect(ownGrowths(there)).toEqual(ownGrowths(here));
				expect(there.target.probes).toEqual(here.target.probes);
			});

		kernelTest("watch: all calls that the program counted since then", () => {
			expectCode(`watch-${impl}`, 0);
			expect(file(`watch-${impl}.target-code`).trim()).toBe("0");
			const records = recordsOf(file(`watch-${impl}.out`));
			expectComplete(records);
			expect(records.end.reason).toBe("target-exit");
			const before = countedBy(file(`watch-${impl}.target`), "ready");
			const after = countedBy(file(`watch-${impl}.target`), "end");
			const since = Object.fromEntries(Object.entries(after).map(([fn, calls]) => [fn, calls - (before[fn] ?? 0)]));
			expect(called(records.end.calls)).toEqual(called(since));
			expect(records.end.ledger.growth.hits).toBeGreaterThan(16 * 7);
			// Meanwhile another process ran the same code.
			expect(file(`bystander-${impl}.code`).trim()).toBe("0");
			expect(called(countedBy(file(`bystander-${impl}.out`), "end"))).not.toEqual({});
		});

		kernelTest("run --iter: the growths that the program saw overlap an iteration", () => {
			expectCode(`iterate-${impl}`, 0);
			const records = recordsOf(file(`iterate-${impl}.out`));
			expectComplete(records);
			// The program's own output goes to standard error.
			const truth: Truth = JSON.parse(/^\{.*\}$/m.exec(file(`iterate-${impl}.err`))?.[0] ?? "{}");
			const sum = Object.values(truth).reduce((total, { overlaps }) => total + overlaps, 0);
			expect(sum).toBeGreaterThan(20);
			expect(records.end.overlaps).toBe(sum);
			expect(records.overlaps).toHaveLength(sum);
			const grown = Object.values(truth).reduce((total, { growths }) => total + growths, 0);
			// In one of its cases; main.main alone grows maps of packages that print.
			const cases = records.growths.filter(({ stack }) => stack.some(({ fn }) => /^main\.(?!main$)/.test(fn)));
			expect(cases).toHaveLength(grown);
		});

		kernelTest("probes are there while it watches, and gone afterwards", () => {
			expectCode(`detach-${impl}`, 0);
			expectComplete(recordsOf(file(`detach-${impl}.out`)));
			const { probes } = makePlan(openGoBinary(fileSource(program(arch, `counted-${impl}`))));
			const original = probes.map(({ site }) => dump(site.bytes));
			const lines = (when: string): string[] => file(`detach-${impl}.${when}`).trimEnd().split("\n");
			expect(lines("before")).toEqual(original);
			const trap = BREAKPOINT[arch];
			expect(lines("during")).toEqual(probes.map(({ site }) => dump([...trap, ...site.bytes.subarray(trap.length)])));
			expect(lines("after")).toEqual(original);
			// After a SIGKILL the kernel takes them out.
			expect(file(`killed-${impl}.code`).trim()).toBe("137");
			expect(lines("killed")).toEqual(original);
			// The program went on, unharmed.
			expect(file(`detach-${impl}.target-code`).trim()).toBe("0");
			expect(called(countedBy(file(`detach-${impl}.target`), "end"))).not.toEqual({});
		});
	});
});
