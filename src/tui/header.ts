import { sanitize } from "../lib/sanitize.ts";
import type { MapImpl, ProbeInfo, TargetRecord } from "../records/records.ts";
import { targetName } from "../text/container-text.ts";
import { formatClock, formatCount, plural } from "../text/units.ts";
import { joinFields, type Line, lineWidth, type Span, spread } from "./line.ts";

export interface HeaderInput {
	/** Those that are observed now; those that have ended when none is. */
	targets: readonly TargetRecord[];
	ended: boolean;
	/** Release of the kernel. */
	kernel: string | undefined;
	elapsedNs: number;
	/** When the screen was stopped, since the start. */
	pausedAtNs: number | undefined;
}

/** Distinct values in the order of their first appearance. */
function distinct<T>(values: readonly T[]): T[] {
	return [...new Set(values)];
}

/** What a probe costs: the kernel emulates most of the instructions and single-steps the others, which takes longer. */
function probesText(probes: readonly ProbeInfo[]): string {
	const stepped = probes.filter((probe) => probe.cost === "stepped").length;
	if (stepped === 0) return `${plural(probes.length, "probe")}, all emulated`;
	return `${plural(probes.length, "probe")}, ${formatCount(stepped)} single-stepped`;
}

function whoField({ targets, ended }: HeaderInput): Line {
	const [first, ...others] = targets;
	if (first === undefined) return [{ text: "no process" }];
	const end: Line = ended ? [{ text: " ended" }] : [];
	if (others.length === 0) return [{ text: `${targetName(first)} ${first.pid}`, style: "strong" }, ...end];
	const names = distinct(targets.map(targetName));
	const shown = names.slice(0, 3).join(" ") + (names.length > 3 ? " …" : "");
	return [{ text: `${targets.length} processes`, style: "strong" }, { text: ` ${shown}` }, ...end];
}

/** A quality that all or some of the targets have. */
function quality(targets: readonly TargetRecord[], name: string, has: (target: TargetRecord) => boolean): string[] {
	const having = targets.filter(has).length;
	if (having === 0) return [];
	return [having === targets.length ? name : `${having} ${name}`];
}

/** What the programs are made of and what is probed, what matters most first. */
function whatFields(targets: readonly TargetRecord[]): string[] {
	const versions = distinct(targets.map((target) => sanitize(target.go_version)));
	const impls: MapImpl[] = distinct(targets.map((target) => target.map_impl));
	const version = versions.length === 1 ? versions.join() : `${versions.length} Go versions,`;
	return [
		`${version} ${impls.join(" and ")}`,
		...quality(targets, "limited: see inspect", (target) => target.limits !== undefined),
		...quality(targets, "stripped", (target) => target.stripped),
		...quality(targets, "PIE", (target) => target.pie),
		probesText(targets.flatMap((target) => target.probes)),
	];
}

function clockField({ elapsedNs, pausedAtNs }: HeaderInput, columns: number): Line {
	if (pausedAtNs === undefined) return [{ text: formatClock(elapsedNs) }];
	const text =
		columns < 100 ? `paused at ${formatClock(pausedAtNs)}` : `paused at ${formatClock(pausedAtNs)}, recording goes on`;
	return [{ text: ` ${text} `, style: "alarm" }];
}

/** Who is observed, what it is made of, what is probed, and for how long. */
export function headerLine(input: HeaderInput, columns: number): Span[] {
	const right: Line = [...clockField(input, columns), { text: " " }];
	const who = whoField(input);
	const what = input.targets.length === 0 ? [] : whatFields(input.targets);
	// What the distribution has put behind the version is long.
	if (input.kernel !== undefined) what.push(`Linux ${sanitize(input.kernel.replace(/-.*/, ""), 40)}`);
	const title: Line = columns < 60 ? [] : [{ text: " gomapgrow", style: "accent" }, { text: " " }];
	const left: Line = [...title, { text: " " }, ...who];
	const room = columns - lineWidth(left) - lineWidth(right) - 3;
	const described =
		room < 8
			? []
			: joinFields(
					what.map((text) => [{ text }]),
					" · ",
					room,
				);
	return spread([...left, { text: "  " }, ...described], right, columns);
}
