/**
 * The built executable on kernels other than this machine's: each of Debian's from 5.10 on is booted in QEMU, and what gomapgrow says there is compared
 * with what the observed programs counted themselves, with what is known of them, and with what it says on this machine. `make test-kernels` boots all of
 * them, `make test` the oldest and the newest (GOMAPGROW_KERNELS).
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout } from "bun:test";
import type { GrowthRecord } from "../../src/records/records.ts";
import type { VerificationRecord } from "../../src/verify/record.ts";
import { missingForTracing, testWith } from "../support/capability.ts";
import { durationFaults, measuredOf, type Truth } from "../support/duration-check.ts";
import { expectGrown, INT, KEYS } from "../support/grown.ts";
import { expectIterated, truthIn } from "../support/iterated.ts";
import { validateRecords } from "../support/schema.ts";
import { runTraced, withoutDuration } from "../support/trace.ts";
import { expectCountersAgree } from "../support/verified.ts";
import { expectGolden } from "../unit/report/golden.ts";
import { called, countedBy, countedIn, dump, Left, recordsOf } from "./guest-output.ts";
import {
	cutsStacks,
	implOf,
	looksAtProbes,
	prepare,
	probesOf,
	program,
	removeRoots,
	rootOf,
	versionsFor,
	work,
} from "./guest-programs.ts";
import { archOf, boot, kernelOf, missingForMachines, type Outcome } from "./machine.ts";
import { expectWorkersCutGrowths, expectWorkersGrowths } from "./workers.ts";

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

/** Emulated machines at the same time. */
const AT_ONCE = 2;
/** Far more than it takes: a minute on a processor of its own. */
const BOOT_MS = 900_000;
setDefaultTimeout(BOOT_MS * SERIES.length);

const machines = new Map<string, PromiseWithResolvers<Outcome>>();

/** What a breakpoint is. */
const BREAKPOINT = { x64: [0xcc], arm64: [0xa0, 0x00, 0x20, 0xd4] } as const;

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
afterAll(removeRoots);

/** The growths of the program's own map, without what differs from run to run. */
function ownGrowths({ growths }: { growths: readonly GrowthRecord[] }): Partial<GrowthRecord>[] {
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

const hostTest = testWith(missing, missingForTracing());

describe.each(SERIES.map((series): [string] => [series]))("Linux %s", (series) => {
	const wanted = KERNELS[series];
	const arch = archOf(series);
	if (wanted === undefined) throw new Error(`nothing is known of Linux ${series}`);
	let left = new Left({ files: new Map() });

	beforeAll(async () => {
		if (missing !== undefined) return;
		const machine = machines.get(series);
		if (machine === undefined) throw new Error("nothing was booted");
		left = new Left(await machine.promise);
	});

	kernelTest("the machine ran that kernel, and all checks", () => {
		expect(left.file("release").trim()).toBe(kernelOf(series).release);
		expect(left.faults).toBeUndefined();
		expect(left.file("checks.code").trim()).toBe("0");
	});

	kernelTest("doctor", async () => {
		left.expectCode("doctor", 0);
		const { version, commit, kernel, hit_cost_ns, ...rest } = JSON.parse(left.file("doctor.out"));
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
			left.expectCode("run-pie", 3);
			expect(left.file("run-pie.err")).toContain("error[E-HOST-UPROBE]: wanted attach cookies (Linux 5.15)");
			return;
		}
		const records = left.records("run-pie");
		expect(records.target.pie).toBe(true);
		expectGrown(records, INT, "classic");
	});

	describe.each(versionsFor(arch).map((version): [string] => [version]))("Go %s", (version) => {
		const impl = implOf(version);

		kernelTest("run: every growth, with type, kind, sizes and lines", () => {
			const records = left.records(`run-${version}`);
			expect(records.target).toMatchObject({
				...{ arch: arch === "x64" ? "amd64" : arch, map_impl: impl, stripped: true, pie: false },
				go_version: expect.stringMatching(new RegExp(`^go${version}\\.`)),
			});
			expectGrown(records, INT, impl);
			expect(withoutDuration(records.growths, records.end)).toBe(0);
		});

		// Programs for another machine do not run here.
		if (arch === process.arch)
			hostTest("run: the same as on this machine", async () => {
				const host = await runTraced([program(arch, `grow-${version}`), "int", String(KEYS)]);
				const here = recordsOf(host.stdout);
				const there = left.records(`run-${version}`);
				expect(ownGrowths(there)).toEqual(ownGrowths(here));
				expect(there.target.probes).toEqual(here.target.probes);
			});

		kernelTest("run --iter: the growths that the program saw overlap an iteration", () => {
			// The program's own output goes to standard error.
			expectIterated(left.records(`iterate-${version}`), truthIn(left.file(`iterate-${version}.err`)));
		});

		kernelTest("run: durations lie within the calls as the program's runtime measures them", () => {
			const records = left.records(`timed-${version}`);
			const truth: Truth = JSON.parse(left.file(`timed-${version}.truth`));
			const measured = measuredOf(records);
			const growths = Object.entries(truth.functions).filter(([fn]) => measured.complete.includes(fn));
			// Each of four maps of 3000 keys grows nine times at least, whatever is only measured as a part of it.
			expect(growths.reduce((sum, [, { calls }]) => sum + calls, 0)).toBeGreaterThanOrEqual(4 * 9);
			expect(withoutDuration(records.growths, records.end)).toBe(0);
			// What the probes cost is not known here: they make no duration longer than the call.
			expect(durationFaults(truth, measured, {}).impossible).toEqual([]);
		});

		kernelTest("watch: all calls that the program counted since then, with types and lines", () => {
			const step = `watch-${version}`;
			const { growths, end } = left.records(step);
			expect(left.file(`${step}.target-code`).trim()).toBe("0");
			expect(end.reason).toBe("target-exit");
			expect(called(end.calls)).toEqual(called(countedIn(left.file(`${step}.target`))));
			if (cutsStacks(arch, version)) expectWorkersCutGrowths(growths);
			else expectWorkersGrowths(growths);
			// Meanwhile another process ran the same code.
			expect(left.file(`bystander-${version}.code`).trim()).toBe("0");
			expect(called(countedBy(left.file(`bystander-${version}.out`), "end"))).not.toEqual({});
		});

		kernelTest("verify: both counters say what the program counted", () => {
			const step = `verify-${version}`;
			left.expectCode(step, 0);
			expect(left.file(`${step}.target-code`).trim()).toBe("0");
			const record: VerificationRecord = JSON.parse(left.file(`${step}.out`));
			expect(validateRecords([record])).toEqual([]);
			expect(record).toMatchObject({ reason: "target-exit", map_impl: impl });
			const calls = Object.fromEntries(record.functions.map((row) => [row.fn, row.calls]));
			expect(called(calls)).toEqual(called(countedIn(left.file(`${step}.target`))));
			expectCountersAgree(record);
		});

		if (!looksAtProbes(version)) return;
		kernelTest("probes are there while it watches, and gone afterwards", () => {
			const step = `detach-${version}`;
			left.records(step);
			const probes = probesOf(program(arch, `counted-${version}`));
			const original = dump(probes.flatMap(({ site }) => [...site.bytes]));
			const trap = BREAKPOINT[arch];
			const trapped = dump(probes.flatMap(({ site }) => [...trap, ...site.bytes.subarray(trap.length)]));
			const bytes = (when: string): string[] => left.file(`${step}.${when}`).trim().split(/\s+/);
			expect(bytes("before")).toEqual(original);
			expect(bytes("during")).toEqual(trapped);
			expect(bytes("after")).toEqual(original);
			// After a SIGKILL the kernel takes them out.
			expect(left.file(`killed-${version}.code`).trim()).toBe("137");
			expect(bytes("killed")).toEqual(original);
			// The program went on, unharmed.
			expect(left.file(`${step}.target-code`).trim()).toBe("0");
			expect(called(countedBy(left.file(`${step}.target`), "end"))).not.toEqual({});
		});
	});
});
