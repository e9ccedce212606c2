/** Which probes belong to which stream, and what the kernel programs are told while parts of them are attached and detached. */
import { afterAll, beforeAll, beforeEach, describe, expect, mock, test } from "bun:test";
import type { BpfObject, SiteConfig } from "../../../src/kernel/bpf-object.ts";
import { NO_SLOT } from "../../../src/kernel/wire.ts";
import type { PlannedProbe } from "../../../src/plan/probe-plan.ts";
import type { Part, Probes as ProbeSet } from "../../../src/tracer/probes.ts";
import { SiteTable } from "../../../src/tracer/site-table.ts";
import type { Stream } from "../../../src/tracer/streams.ts";
import type { Target } from "../../../src/tracer/target.ts";
import { exitSite, plannedProbe, probePlan } from "./plan-parts.ts";

const PATH = "../../../src/kernel/libbpf.ts";
const libbpf = { ...(await import("../../../src/kernel/libbpf.ts")) };
/** File offsets that are probed now, by the link that does it. */
const links = new Map<number, number>();
const symbols = {
	bpf_program__attach_uprobe_opts: (_program: number, _pid: number, _path: Buffer, offset: number): number => {
		links.set(links.size + 1, offset);
		return links.size;
	},
	bpf_link__destroy: (link: number): number => Number(links.delete(link)),
};
let Probes: typeof ProbeSet;
beforeAll(async () => {
	mock.module(PATH, () => ({ ...libbpf, libbpf: () => symbols }));
	({ Probes } = await import("../../../src/tracer/probes.ts"));
});
afterAll(() => {
	mock.module(PATH, () => libbpf);
});

const MAPS = "internal/runtime/maps";
const [REHASH, GROW, SPLIT] = [`${MAPS}.(*table).rehash`, `${MAPS}.(*table).grow`, `${MAPS}.(*table).split`];
const [SMALL, PRUNE] = [`${MAPS}.(*Map).growToTable`, `${MAPS}.(*table).pruneTombstones`];
let offset = 0;

function probe(fn: string, fields: Partial<PlannedProbe>, exits: { handsOverTo?: string }[] = [{}]): PlannedProbe {
	const place = (): number => 0x40_0000 + ++offset;
	const site = { ...plannedProbe(fn).site, fileOffset: place() };
	return plannedProbe(fn, { ...fields, site, exits: exits.map((exit) => exitSite(place(), exit)) });
}

/** rehash ends with the function that does its work. */
const swiss = () =>
	probePlan(
		[
			probe(SMALL, { role: "growToTable", tier: "growth" }),
			probe(REHASH, { role: "rehash", tier: "growth" }, [{ handsOverTo: GROW }, { handsOverTo: SPLIT }]),
			probe(GROW, { role: "grow" }),
			probe(SPLIT, { role: "split" }),
			probe(PRUNE, { role: "pruneTombstones" }),
		],
		{ impl: "swiss" },
	);

class Run {
	/** What the kernel programs were told last of each site. */
	readonly told = new Map<number, SiteConfig>();
	readonly wrappers: number[] = [];
	readonly plan = swiss();
	readonly probes: ProbeSet;
	readonly target: Target;

	constructor(wrappers: { from: number; to: number }[] = []) {
		const object = {
			...{ mode: "perf-cookie", program: () => 1, setWrappers: (number: number) => this.wrappers.push(number) },
			configureSite: (index: number, config: SiteConfig) => this.told.set(index, config),
		} as unknown as BpfObject;
		this.probes = new Probes(object, new SiteTable(100), { latency: true });
		this.target = {
			...{ identity: { pid: 7, openPath: "/proc/7/exe" }, plan: this.plan, wrappers, checkSites: () => undefined },
			proveProbes: () => undefined,
			binary: { version: { minor: 24 } },
		} as unknown as Target;
	}

	/** Functions of a stream whose entries, or exits, are attached. */
	attached(part: Part): string[] {
		const now = new Set(links.values());
		return this.plan.probes
			.filter(({ site, exits }) =>
				part === "entries"
					? now.has(site.fileOffset)
					: exits.length > 0 && exits.every(({ fileOffset }) => now.has(fileOffset)),
			)
			.map(({ fn }) => fn);
	}

	/** Functions whose calls are timed now. */
	timed(): string[] {
		const entries = this.probes.entriesOf(this.target);
		return entries
			.filter(({ index }) => (this.told.get(index)?.slot ?? NO_SLOT) !== NO_SLOT)
			.map(({ probe }) => probe.fn);
	}

	set(stream: Stream, part: Part, on: boolean): void {
		this.probes.setAttached(this.target, stream, part, on);
	}
}

beforeEach(() => {
	links.clear();
});

describe("streams", () => {
	test("growths of small maps, of large ones, and growth work", () => {
		const run = new Run();
		run.probes.attach(run.target);
		const of = (stream: Stream) => run.probes.entriesOf(run.target, stream).map(({ probe }) => probe.fn);
		expect([of("small"), of("large"), of("work"), of("iteration")]).toEqual([
			...[[SMALL], [REHASH], [GROW, SPLIT, PRUNE], []],
		]);
	});

	test("exits of grow and split belong to the growths that end with them", () => {
		const run = new Run();
		run.probes.attach(run.target);
		const exits = (stream: Stream) => run.probes.exitsOf(run.target, stream).map(({ exit }) => exit.fileOffset);
		const planned = (...fns: string[]) =>
			run.plan.probes.filter(({ fn }) => fns.includes(fn)).flatMap((each) => each.exits.map((exit) => exit.fileOffset));
		expect(exits("large")).toEqual(planned(REHASH, GROW, SPLIT));
		expect(exits("small")).toEqual(planned(SMALL));
		expect(exits("work")).toEqual(planned(PRUNE));
	});

	test("growths are timed whether or not growth work is watched", () => {
		const run = new Run();
		run.probes.attach(run.target, ["large", "small"]);
		expect(run.attached("entries")).toEqual([SMALL, REHASH]);
		expect(run.attached("exits")).toEqual([SMALL, REHASH, GROW, SPLIT]);
		// The calls of grow and split, as soon as their entries are there.
		expect(run.timed()).toEqual([SMALL, REHASH, GROW, SPLIT]);
		run.set("work", "entries", true);
		expect(run.attached("entries")).toEqual([SMALL, REHASH, GROW, SPLIT, PRUNE]);
		expect(run.timed()).not.toContain(PRUNE);
		run.set("work", "exits", true);
		expect(run.timed()).toContain(PRUNE);
	});
});

describe("calls that are timed", () => {
	test("begin after the exits are there, and not without them", () => {
		const run = new Run();
		run.probes.attach(run.target, ["large"]);
		const site = run.probes.entriesOf(run.target, "large")[0];
		const since = run.told.get(site?.index ?? -1)?.sinceNs ?? 0n;
		expect(since).toBeGreaterThan(0n);
		expect(site?.timedSinceNs).toBe(Number(since));
		run.set("large", "exits", false);
		expect(run.attached("exits")).toEqual([]);
		expect(run.timed()).toEqual([]);
		// What was under way is older than any moment that may come: its end is not taken for one that was watched.
		expect(run.told.get(site?.index ?? -1)).toMatchObject({ slot: NO_SLOT, sinceNs: 2n ** 64n - 1n });
		expect(site?.timedSinceNs).toBeUndefined();
		run.set("large", "exits", true);
		expect(run.told.get(site?.index ?? -1)?.sinceNs ?? 0n).toBeGreaterThan(since);
		expect(run.timed()).toEqual([REHASH, GROW, SPLIT]);
	});

	test("gates and chances are of the stream's own entries", () => {
		const run = new Run();
		run.probes.attach(run.target);
		const gates = [
			{ from: 5n, to: 9n },
			{ from: 20n, to: 30n },
		] as const;
		run.probes.setWindows(run.target, "work", gates);
		run.probes.setGrowthChance(run.target, "large", 0.25);
		const told = run.probes.entriesOf(run.target).map(({ probe, index }) => {
			const { windows, chance } = run.told.get(index) ?? {};
			return [probe.fn, windows, chance];
		});
		expect(told).toEqual([
			[SMALL, undefined, 1],
			[REHASH, undefined, 0.25],
			[GROW, gates, 1],
			[SPLIT, gates, 1],
			[PRUNE, gates, 1],
		]);
		run.probes.setWindows(run.target, "work", undefined);
		expect(run.told.get(run.probes.entriesOf(run.target, "work")[0]?.index ?? -1)?.windows).toBeUndefined();
	});
});

describe("wrappers", () => {
	test("have a number while the target is attached", () => {
		const run = new Run([{ from: 1, to: 2 }]);
		run.probes.attach(run.target);
		expect(run.wrappers).toEqual([0]);
		expect([...run.told.values()].filter(({ wrappers }) => wrappers === 0)).toHaveLength(5);
		run.probes.release(run.target);
		run.probes.attach(run.target);
		expect(run.wrappers).toEqual([0, 0]);
	});

	test("give it back when attaching fails, and nothing stays attached", () => {
		const run = new Run([{ from: 1, to: 2 }]);
		run.target.checkSites = () => {
			throw new Error("changed");
		};
		expect(() => run.probes.attach(run.target)).toThrow("changed");
		run.target.checkSites = () => undefined;
		run.probes.attach(run.target);
		expect(run.wrappers).toEqual([0]);
		run.probes.detach();
		expect(links.size).toBe(0);
	});
});
