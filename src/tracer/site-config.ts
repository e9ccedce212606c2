/** What the kernel programs are told of a site. */
import { ROLE, slotOf } from "../gomap/functions.ts";
import { COPIED_FIELDS } from "../gomap/header.ts";
import { loadFactorNumerator } from "../gomap/sizing.ts";
import type { SiteConfig } from "../kernel/bpf-object.ts";
import { NO_MAP, NO_SLOT } from "../kernel/wire.ts";
import { type ExitSite, hasAllArguments, type PlannedProbe } from "../plan/probe-plan.ts";
import type { EntrySite } from "./site-table.ts";
import { type Stream, streamOf } from "./streams.ts";
import type { Target } from "./target.ts";

const SEED_OFFSET = { classic: COPIED_FIELDS.hmap.hash0, swiss: COPIED_FIELDS.swissMap.seed } as const;

function handsOverTo(probe: PlannedProbe, fn: string): boolean {
	return probe.exits.some((exit) => exit.handsOverTo === fn);
}

/** The function whose calls end with those of this one. */
export function outerOf(entry: EntrySite, entries: readonly EntrySite[]): EntrySite | undefined {
	return entries.find(({ timed, probe }) => timed && handsOverTo(probe, entry.probe.fn));
}

/**
 * With which stream the exits of a function are attached: growths whose calls end with this function's (rehash with grow and split) are timed whether or not its own
 * calls are watched.
 */
export function exitStream(entry: EntrySite, entries: readonly EntrySite[]): Stream {
	const outer = outerOf(entry, entries);
	return streamOf(outer?.probe.tier === "growth" ? outer.probe : entry.probe);
}

export function entryConfig(target: Target, probe: PlannedProbe): SiteConfig {
	const { plan, binary } = target;
	return {
		role: ROLE[probe.role],
		...plan.goroutine,
		argsOnStack: probe.argAbi === "stack",
		gInRcx: probe.gRegister === "rcx",
		callerDepth: probe.callerDepth,
		loadFactor: loadFactorNumerator(binary.version.minor),
		address: probe.site.address,
		seed: SEED_OFFSET[plan.impl],
		readsFlags: plan.impl === "classic" && plan.goroutine !== undefined && hasAllArguments(probe),
		mapAt: probe.mapAt === "unknown" ? NO_MAP : (probe.mapAt ?? 0),
		...makeConfig(probe),
		alwaysEnters: probe.everyPass === true,
		ownStackOnly: plan.ownStackOnly === true,
	};
}

/** Where a function that makes maps has what it knows. */
function makeConfig({ make }: PlannedProbe): Partial<SiteConfig> {
	if (make === undefined) return {};
	const { framed = false, headerAt = 0, hintAt = 0, typeAt = 0 } = make;
	return { framePointer: framed, mapAt: headerAt, hintAt, typeAt };
}

export function exitConfig({ index, probe }: EntrySite, exit: ExitSite, outer: EntrySite | undefined): SiteConfig {
	return {
		role: ROLE[probe.role],
		entry: index,
		slot: slotOf(probe.fn) ?? NO_SLOT,
		fsOffset: probe.fsOffset,
		framePointer: exit.entrySp === "frame-pointer",
		handsOver: exit.handsOverTo !== undefined,
		...(exit.leavesWhen === undefined
			? {}
			: { condition: exit.leavesWhen.condition, leavesTaken: exit.leavesWhen.taken }),
		...(outer === undefined ? {} : { outerEntry: outer.index, outerSlot: slotOf(outer.probe.fn) ?? NO_SLOT }),
	};
}
