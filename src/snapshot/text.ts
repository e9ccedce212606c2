/** A snapshot of goroutines as text for people, for a terminal of 80 columns: one block for each different stack. */
import picocolors from "picocolors";
import type { Frame } from "../records/records.ts";
import { shortFunction, shortPlace, shortSite } from "../text/go-names.ts";
import { formatCount, formatDuration, plural } from "../text/units.ts";
import { displayWidth, padEndWidth } from "../text/width.ts";
import { labelled } from "../text/wrap.ts";
import type { SnapshotGroup, SnapshotIteration, SnapshotLock, SnapshotRecord, SnapshotStatus } from "./record.ts";

const WIDTH = 80;
const LABEL = 14;
/** Frames of a stack: the innermost, and the outermost behind a gap. */
const FIRST_FRAMES = 12;
const LAST_FRAMES = 4;
const MAX_RANGES = 8;
/** Goroutines that loop under one lock. */
const MAX_LOOPS = 5;
/** Blocks that are shown; those inside map code always are. */
const MAX_GROUPS = 60;
const MAX_FRAME_WIDTH = 52;

type Colors = ReturnType<typeof picocolors.createColors>;

/** The whole text, ending in a line feed. `wanted`: how many snapshots there were to be. */
export function snapshotText(snapshot: SnapshotRecord, wanted: number, color: boolean): string {
	const colors = picocolors.createColors(color);
	const all = snapshot.groups.filter(({ system }) => system !== true);
	const own = all.filter(({ map_work }, index) => index < MAX_GROUPS || map_work !== undefined);
	const system = snapshot.groups.filter(({ system }) => system === true);
	const countWidth = Math.max(3, ...own.map(({ count }) => formatCount(count).length));
	const sections = [
		headText(snapshot, wanted, colors),
		...own.map((group) => groupText(group, snapshot.locks, countWidth, colors)),
		restText(all.filter((group) => !own.includes(group))),
		locksText(snapshot.locks, colors),
		systemText(system),
	];
	const parts = sections.filter((lines) => lines.length > 0).map((lines) => lines.map((line) => line.trimEnd()));
	return `${parts.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function row(label: string, text: string): string[] {
	return text === "" ? [] : labelled(`  ${label}`, LABEL, text, WIDTH);
}

function headText(snapshot: SnapshotRecord, wanted: number, colors: Colors): string[] {
	const { name, pid, go_version, map_impl, time, sequence, elapsed_ns } = snapshot;
	const title = [`${name} ${pid}`, map_impl === undefined ? go_version : `${go_version} ${map_impl}`];
	const nth = wanted === 1 ? [] : [`snapshot ${sequence} of ${wanted}, ${formatDuration(elapsed_ns)} after the first`];
	return [
		[colors.bold(title[0] ?? ""), ...title.slice(1), `${time.slice(11, 19)}Z`, ...nth].join("  "),
		...row("goroutines", countsText(snapshot)),
		...row("maps", mapsText(snapshot)),
		...row("stayed", stayedText(snapshot)),
		...row("read", readText(snapshot)),
		...snapshot.notes.flatMap((note) => row("note", note)),
	];
}

function countsText({ goroutines }: SnapshotRecord): string {
	const { total, running, runnable, waiting, syscall, other, system } = goroutines;
	const parts = [
		...(running === 0 ? [] : [`${formatCount(running)} running`]),
		...(runnable === 0 ? [] : [`${formatCount(runnable)} runnable`]),
		...(waiting === 0 ? [] : [`${formatCount(waiting)} waiting`]),
		...(syscall === 0 ? [] : [`${formatCount(syscall)} in a system call`]),
		...(other === 0 ? [] : [`${formatCount(other)} preempted or moved`]),
	];
	return `${formatCount(total)}: ${parts.join(", ")}${system === 0 ? "" : `; ${formatCount(system)} are the runtime's own`}`;
}

function mapsText({ goroutines }: SnapshotRecord): string {
	const { map_code, map_growth, iterating } = goroutines;
	const growth = map_growth === 0 ? "" : `, ${formatCount(map_growth)} of them growing a map`;
	return [
		...(map_code === 0 ? [] : [`${formatCount(map_code)} inside map code${growth}`]),
		...(iterating === 0 ? [] : [`${formatCount(iterating)} in a loop over a map`]),
	].join("; ");
}

function stayedText({ groups, goroutines, changes }: SnapshotRecord): string {
	if (changes === undefined) return "";
	const sum = (of: (group: SnapshotGroup) => number | undefined): number =>
		groups.reduce((total, group) => total + (of(group) ?? 0), 0);
	const stayed = sum(({ stayed }) => stayed);
	const known = groups.some(({ idle }) => idle !== undefined);
	const idle = known ? `, ${formatCount(sum((group) => group.idle))} of them without having run` : "";
	return `${formatCount(stayed)} of ${formatCount(goroutines.total)} at the same place in every snapshot${idle}`;
}

function readText({ duration_ns, retried, goroutines }: SnapshotRecord): string {
	const again = retried === 0 ? [] : [`${formatCount(retried)} looked at again because they moved`];
	const torn = goroutines.torn === 0 ? [] : [`${formatCount(goroutines.torn)} torn`];
	return [`in ${formatDuration(duration_ns)}`, ...again, ...torn].join(", ");
}

const STATUS: Record<SnapshotStatus, string> = {
	running: "running",
	runnable: "runnable",
	waiting: "waiting",
	syscall: "in a system call",
	preempted: "preempted",
	copystack: "its stack is being moved",
	leaked: "waiting forever",
};
const ORIGIN = {
	saved: "",
	"system-stack": ", its thread on the system stack",
	kernel: ", its thread inside the kernel",
	sample: ", caught by a timer",
} as const;

function groupText(group: SnapshotGroup, locks: readonly SnapshotLock[], countWidth: number, colors: Colors): string[] {
	const indent = " ".repeat(countWidth + 2);
	const body = (text: string): string[] => labelled(indent, indent.length, text, WIDTH);
	const count = formatCount(group.count).padStart(countWidth);
	const [first = "", ...rest] = labelled(`${count}  `, indent.length, stateText(group, locks), WIDTH);
	return [
		`${colors.bold(first.slice(0, indent.length))}${first.slice(indent.length)}`,
		...rest,
		...mapText(group)
			.flatMap(body)
			.map((line) => (group.map_work?.role === "growth" ? colors.yellow(line) : line)),
		...stackText(group).map((line) => `${indent}${line}`),
		...body(originText(group)).map((line) => colors.dim(line)),
		...body(goidsText(group.goids, group.count)).map((line) => colors.dim(line)),
	];
}

function restText(groups: readonly SnapshotGroup[]): string[] {
	if (groups.length === 0) return [];
	const count = groups.reduce((total, group) => total + group.count, 0);
	return [`${plural(count, "goroutine")} at ${plural(groups.length, "other place")}: --json has them all`];
}

function stateText(group: SnapshotGroup, known: readonly SnapshotLock[]): string {
	const { status, wait_reason, waiting_ns, stack_origin, waits_for, stayed } = group;
	const state = `${wait_reason ?? STATUS[status]}${ORIGIN[stack_origin ?? "saved"]}`;
	const since = waiting_ns === undefined ? [] : [`for ${formatDuration(waiting_ns)} at least`];
	const [lock, ...others] = waits_for ?? [];
	const kind = known.find(({ address }) => address === lock)?.kind ?? "lock";
	const locks = lock === undefined ? [] : [others.length === 0 ? `${kind} ${lock}` : plural(others.length + 1, kind)];
	return [state, ...since, ...locks, ...(stayed === undefined ? [] : [movesText(group, stayed)])].join(" · ");
}

/** What became of the group's goroutines since the first snapshot. */
function movesText({ count, idle }: SnapshotGroup, stayed: number): string {
	if (stayed === 0) return "moved";
	const who = stayed === count ? "stayed" : `${formatCount(stayed)} stayed`;
	if (idle === undefined) return who;
	if (idle === stayed) return `${who} without running`;
	return idle === 0 ? `${who}, but ran` : `${who}, ${formatCount(idle)} of them without running`;
}

function mapText({ map_work, iterations, count }: SnapshotGroup): string[] {
	const lines: string[] = [];
	if (map_work !== undefined) {
		const { role, fn, site } = map_work;
		const what = { growth: "growing a map", iteration: "stepping through a map", access: "inside map code" }[role];
		lines.push(`${what}: ${shortFunction(fn)}${site === undefined ? "" : `, used at ${shortSite(site)}`}`);
	}
	for (const { fn, map_type, count: loops, entries, slots, half_grown } of iterations ?? []) {
		const who = loops === count ? "" : `${formatCount(loops)} of them `;
		const size = `${rangeText(entries)} ${entries[1] === 1 ? "entry" : "entries"}`;
		const room = slots === undefined ? "" : ` in ${rangeText(slots)} slots`;
		lines.push(`${who}in a loop over ${map_type} (${size}${room}) in ${shortFunction(fn)}`);
		if (half_grown !== undefined) lines.push(halfGrownText(half_grown));
	}
	return lines;
}

function rangeText([least, most]: readonly [number, number]): string {
	return least === most ? formatCount(most) : `${formatCount(least)} to ${formatCount(most)}`;
}

/** Of the maps of a loop those that grow. */
function halfGrownText(maps: NonNullable<SnapshotIteration["half_grown"]>): string {
	const idle = maps.filter(({ written }) => !written);
	const [first] = idle.length === 0 ? maps : idle;
	const done =
		first === undefined ? "" : `${formatCount(first.evacuated)} of ${formatCount(first.of)} buckets evacuated`;
	const which = maps.length === 1 ? "still growing" : `${formatCount(maps.length)} of these maps are still growing`;
	if (idle.length === 0) return `${which}: ${done}`;
	const who = idle.length === maps.length ? "nobody writes" : `nobody writes to ${formatCount(idle.length)} of them`;
	return `${which}: ${done}, and ${who}, which is what takes growth on`;
}

/** What parks a goroutine is said by its state: frames of the runtime above the program's are left out, those of map code are not. */
function shownFrames({ stack, map_work }: SnapshotGroup): readonly Frame[] {
	if (map_work !== undefined)
		return stack.slice(
			Math.max(
				0,
				stack.findIndex(({ fn }) => fn === map_work.fn),
			),
		);
	const first = stack.findIndex(({ fn }) => !fn.startsWith("runtime."));
	return first < 0 ? stack : stack.slice(first);
}

/** A function that calls itself from one place takes one line. */
function collapse(frames: readonly Frame[]): { frame: Frame; times: number }[] {
	const lines: { frame: Frame; times: number }[] = [];
	for (const frame of frames) {
		const last = lines.at(-1);
		const { fn, file, line } = frame;
		if (last !== undefined && last.frame.fn === fn && last.frame.file === file && last.frame.line === line)
			last.times++;
		else lines.push({ frame, times: 1 });
	}
	return lines;
}

function stackText(group: SnapshotGroup): string[] {
	if (group.no_stack !== undefined) return [`no frames: ${group.no_stack}`];
	const frames = collapse(shownFrames(group));
	const hidden = frames.length - FIRST_FRAMES - LAST_FRAMES;
	const names = frames.map(({ frame }) => shortFunction(frame.fn));
	const width = Math.min(MAX_FRAME_WIDTH, Math.max(0, ...names.map(displayWidth)));
	const lines = frames.map(({ frame, times }, index) => {
		const line = `${padEndWidth(names[index] ?? "", width)}  ${shortPlace(frame)}`;
		return times === 1 ? line : `${line}  ${formatCount(times)} times`;
	});
	const shown =
		hidden <= 1
			? lines
			: [...lines.slice(0, FIRST_FRAMES), `… ${formatCount(hidden)} more`, ...lines.slice(-LAST_FRAMES)];
	if (group.stack_truncated === true) return [...shown, "… and deeper frames, which were not read"];
	return group.stack_broken === true ? [...shown, "… what is below makes no sense"] : shown;
}

function originText({ created_by, start_fn, stack }: SnapshotGroup): string {
	const creator = created_by === undefined ? [] : [`created by ${shortSite(created_by)}`];
	// The outermost frame says it as well.
	const start =
		start_fn === undefined || stack.at(-1)?.fn === start_fn ? [] : [`started with ${shortFunction(start_fn)}`];
	return [...start, ...creator].join(", ") || "the first goroutine";
}

/** "goroutines 18, 20-4113" */
function goidsText(goids: readonly number[], count: number): string {
	const ranges: [number, number][] = [];
	for (const goid of goids) {
		const last = ranges.at(-1);
		if (last !== undefined && last[1] === goid - 1) last[1] = goid;
		else ranges.push([goid, goid]);
	}
	const texts = ranges.slice(0, MAX_RANGES).map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
	const more = ranges.length > MAX_RANGES || count > goids.length ? ", …" : "";
	return `${count === 1 ? "goroutine" : "goroutines"} ${texts.join(", ")}${more}`;
}

function locksText(locks: readonly SnapshotLock[], colors: Colors): string[] {
	if (locks.length === 0) return [];
	return [colors.bold("locks"), ...locks.flatMap(lockText)];
}

function lockText(lock: SnapshotLock): string[] {
	const { kind, of, address, locked, starving, readers, waiting, waiting_readers, waiting_goids, growers, loops } =
		lock;
	const state = [
		...(locked === true ? ["locked"] : locked === false && readers === undefined ? ["just released"] : []),
		...(readers === undefined || readers === 0 ? [] : [`${plural(readers, "reader")} inside`]),
		...(starving === true ? ["starving"] : []),
	];
	const name = of === undefined ? kind : `${kind} of ${shortFunction(of)}`;
	const wish =
		waiting_readers === undefined || waiting_readers === 0 ? "" : `, ${formatCount(waiting_readers)} of them to read`;
	const who = `${formatCount(waiting)} waiting${wish}: ${goidsText(waiting_goids, waiting)}`;
	return [
		...labelled("  -", 4, `${[`${name} at ${address}`, ...state].join(", ")}; ${who}`, WIDTH),
		...(growers ?? []).flatMap((grower) => {
			const { goid, growth_fn } = grower;
			const text = `goroutine ${goid} is growing a map (${shortFunction(growth_fn)}) and ${evidenceText(grower)}`;
			return labelled("", 4, text, WIDTH);
		}),
		...(loops ?? []).slice(0, MAX_LOOPS).flatMap((looper) => {
			const { goid, map_type } = looper;
			return labelled("", 4, `goroutine ${goid} loops over a ${map_type} and ${evidenceText(looper)}`, WIDTH);
		}),
		...(loops === undefined || loops.length <= MAX_LOOPS
			? []
			: labelled("", 4, `and ${formatCount(loops.length - MAX_LOOPS)} more that loop`, WIDTH)),
	];
}

function evidenceText(
	found: NonNullable<SnapshotLock["loops"]>[number] | NonNullable<SnapshotLock["growers"]>[number],
): string {
	const { evidence, object, lock_offset } = found;
	const has =
		evidence === "lock-address"
			? "has the lock's address"
			: `works with the same object (${object}, the lock is at +${lock_offset})`;
	return `${has} in ${shortSite(found)}`;
}

function systemText(groups: readonly SnapshotGroup[]): string[] {
	if (groups.length === 0) return [];
	const names = [...Map.groupBy(groups, ({ start_fn }) => start_fn ?? "?")].map(([name, members]) => {
		const count = members.reduce((total, group) => total + group.count, 0);
		return `${shortFunction(name)}${count === 1 ? "" : ` (${formatCount(count)})`}`;
	});
	return labelled("the runtime's own:", 19, names.join(", "), WIDTH);
}
