/** Puts goroutines with equal stacks together. */

import { sanitize } from "../lib/sanitize.ts";
import type { GoroutineState } from "./goroutine-state.ts";
import type { Iteration } from "./iterators.ts";
import type { LockWait } from "./locks.ts";
import type { ProgramCode } from "./program-code.ts";
import type { SnapshotGroup, SnapshotIteration, StackOrigin } from "./record.ts";
import { framesOf, type StackShape } from "./stack-shapes.ts";

/** Goroutine ids that a group lists. */
export const MAX_GOIDS = 1000;

/** Half-grown maps that a loop lists. */
const MAX_MAPS = 16;

/** All that is known of one goroutine. */
export interface SeenGoroutine {
	state: GoroutineState;
	shape?: StackShape;
	origin?: StackOrigin;
	/** Why it has none. */
	noStack?: string;
	torn: boolean;
	/** Of the runtime itself. */
	system: boolean;
	/** In words; only of one that waits. */
	waitReason?: string;
	lock?: LockWait;
	iterations: readonly Iteration[];
	/** Whether it had this stack in every snapshot so far, and whether it has not run since; absent in the first snapshot. */
	stayed?: boolean;
	idle?: boolean;
}

const RUNS = "it runs, and its registers could not be read";
const TORN = "it moved whenever it was looked at";
const MOVING = "its stack is being moved";
const OUTSIDE = "the place it stands at is not in its stack";

/** Groups, most goroutines first. `nowNs`: CLOCK_MONOTONIC. */
export function groupGoroutines(
	code: ProgramCode,
	goroutines: readonly SeenGoroutine[],
	nowNs: number,
): SnapshotGroup[] {
	const ids = new Map<StackShape, number>();
	const keyOf = ({ state, shape, origin, noStack, torn, waitReason }: SeenGoroutine): string => {
		if (shape !== undefined && !ids.has(shape)) ids.set(shape, ids.size);
		const stack = shape === undefined ? "" : ids.get(shape);
		return [stack, state.status, waitReason, origin, noStack, torn, state.goPc, state.startPc].join(" ");
	};
	return [...Map.groupBy(goroutines, keyOf).values()]
		.map((members) => toGroup(code, members, nowNs))
		.sort((a, b) => b.count - a.count || (a.goids[0] ?? 0) - (b.goids[0] ?? 0));
}

function toGroup(code: ProgramCode, members: readonly SeenGoroutine[], nowNs: number): SnapshotGroup {
	const [first] = members;
	if (first === undefined) throw new RangeError("a group without goroutines");
	const { state, shape, origin, system, waitReason } = first;
	const goids = members.map((member) => member.state.goid).sort((a, b) => a - b);
	const since = Math.min(...members.map((member) => member.state.waitSince).filter((ns) => ns > 0 && ns < nowNs));
	const locks = new Set(members.flatMap(({ lock }) => (lock === undefined ? [] : [hex(lock.address)])));
	const iterations = groupIterations(members);
	// The first goroutine was made by the runtime's start-up code.
	const createdBy = state.goPc === 0 || state.goid === 1 ? undefined : framesOf(code, state.goPc - 1)[0];
	const startFn = startFunction(code, state);
	const kept = members.filter(({ stayed }) => stayed === true);
	return {
		count: members.length,
		goids: goids.slice(0, MAX_GOIDS),
		status: state.status,
		...(waitReason === undefined ? {} : { wait_reason: waitReason }),
		...(waitReason === undefined || !Number.isFinite(since) ? {} : { waiting_ns: nowNs - since }),
		...(system ? { system } : {}),
		stack: [...(shape?.frames ?? [])],
		...(origin === undefined ? {} : { stack_origin: origin }),
		...(shape?.end === "deep" ? { stack_truncated: true as const } : {}),
		...(shape?.end === "broken" ? { stack_broken: true as const } : {}),
		...(shape === undefined ? { no_stack: whyNoStack(first) } : {}),
		...mapWorkOf(shape),
		...(iterations.length === 0 ? {} : { iterations }),
		...(locks.size === 0 ? {} : { waits_for: [...locks].sort() }),
		...(createdBy === undefined ? {} : { created_by: createdBy }),
		...(startFn === undefined ? {} : { start_fn: startFn }),
		...(first.stayed === undefined ? {} : { stayed: kept.length }),
		...(first.stayed === undefined || state.runs === undefined
			? {}
			: { idle: kept.filter(({ idle }) => idle === true).length }),
	};
}

function whyNoStack({ state, torn, noStack }: SeenGoroutine): string {
	if (torn) return TORN;
	if (state.status === "running") return noStack ?? RUNS;
	return state.status === "copystack" ? MOVING : OUTSIDE;
}

function mapWorkOf(shape: StackShape | undefined): Pick<SnapshotGroup, "map_work"> {
	const work = shape?.work;
	if (work === undefined) return {};
	const { role, fn, site } = work;
	return { map_work: { role, fn, ...(site === undefined ? {} : { site }) } };
}

function groupIterations(members: readonly SeenGoroutine[]): SnapshotIteration[] {
	const all = members.flatMap(({ shape, iterations }) =>
		iterations.map((iteration) => ({
			iteration, // What was inlined into the function cannot be told apart.
			fn: shape?.functions[iteration.frame] ?? "",
		})),
	);
	return [...Map.groupBy(all, ({ iteration, fn }) => `${fn}\0${iteration.mapType}`).values()].map((loops) => {
		const entries = loops.map(({ iteration }) => iteration.count);
		const growing = loops.filter(({ iteration }) => iteration.growing === true).length;
		const slots = loops.flatMap(({ iteration }) => iteration.slots ?? []);
		const halfGrown = new Map(
			loops.flatMap(({ iteration: { map, halfGrown: half } }) => (half === undefined ? [] : [[map, half] as const])),
		);
		return {
			fn: loops[0]?.fn ?? "",
			map_type: sanitize(loops[0]?.iteration.mapType ?? ""),
			count: loops.length,
			entries: [Math.min(...entries), Math.max(...entries)],
			...(slots.length === 0 ? {} : { slots: [Math.min(...slots), Math.max(...slots)] as [number, number] }),
			...(loops.some(({ iteration }) => iteration.growing !== undefined) ? { growing } : {}),
			...(halfGrown.size === 0
				? {}
				: { half_grown: [...halfGrown].slice(0, MAX_MAPS).map(([map, half]) => ({ map: hex(map), ...half })) }),
		};
	});
}

/** The function that the goroutine was started with. */
export function startFunction(code: ProgramCode, { startPc }: GoroutineState): string | undefined {
	return startPc === 0 ? undefined : code.functionAt(startPc);
}

export function hex(address: number): string {
	return `0x${address.toString(16)}`;
}
