/** Which advice, if any, the maps of a line give rise to. */
import type { MakeSite } from "./make-site.ts";
import { moduleOf } from "./module.ts";
import { startClass } from "./population.ts";
import { rebuildAdvice } from "./rebuild.ts";
import type { Advice } from "./record.ts";
import { type Change, candidateHints, changeTo, largestKnown, sizesAgree, type Weighed, weigh } from "./weigh.ts";

/** A constant that saves this part of what the right number saves is advised: it is the simpler change. */
const CONSTANT_ENOUGH = 0.7;
/** Passing a number is advised where at least so many of the maps grow: the others would compute it for nothing. */
const WORTH_PASSING = 0.25;

export interface Chosen {
	advice?: Advice;
	/** Maps of the line grew, but it is not known enough of them. */
	undecided?: true;
}

interface Candidate extends Change {
	hint: number;
}

/** At most one advice. */
export function chooseAdvice(site: MakeSite): Chosen {
	if (site.clone) return {};
	const grew = site.parts.some((part) => part.grew > 0 || part.growths.length > 0 || part.sameSize.length > 0);
	const weighed = weigh(site);
	if (weighed === undefined) return grew ? { undecided: true } : {};
	const advice = rebuildAdvice(weighed, itemOf) ?? hintAdvice(weighed);
	if (advice !== undefined) return { advice };
	return grew ? { undecided: true } : {};
}

function hintAdvice(weighed: Weighed): Advice | undefined {
	const { parts } = weighed;
	const starts = parts.flatMap(({ part }) => part.hints.map(([hint]) => startClass(part, hint)));
	const [lowest, highest] = [Math.min(...starts), Math.max(...starts)];
	const candidates = candidateHints(weighed).map((hint): Candidate => ({ hint, ...changeTo(weighed, hint) }));
	const classOf = (hint: number): number => startClass((parts[0] as Weighed["parts"][number]).part, hint);
	const best = most(candidates.filter(({ sign, growths }) => sign > 0 && growths >= 0));
	const number = lowest === highest ? changeTo(weighed, "entries") : undefined;
	const larger = best !== undefined && classOf(best.hint) > highest && best.growths > 0;
	if (best !== undefined && larger && best.bytes >= CONSTANT_ENOUGH * (number?.bytes ?? 0)) {
		return itemOf(weighed, "presize", best, nicer(weighed, best.hint, classOf));
	}
	const passing = number !== undefined && number.sign > 0 && number.growths > 0;
	if (passing && weighed.grew >= WORTH_PASSING * weighed.made) {
		const constant = most(candidates.filter(({ hint }) => classOf(hint) > highest));
		return itemOf(weighed, "pass-number", number, undefined, constant);
	}
	if (best !== undefined && larger) return itemOf(weighed, "presize", best, nicer(weighed, best.hint, classOf));
	const smaller = best !== undefined && classOf(best.hint) < lowest && lowest === highest;
	if (smaller && sizesAgree(weighed, classOf) && fits(largestKnown(weighed), best.hint, classOf)) {
		return itemOf(weighed, "smaller", best, nicer(weighed, best.hint, classOf));
	}
	if (weighed.growths === 0 || lowest !== highest) return undefined;
	const least = most(candidates.filter(({ hint }) => classOf(hint) > highest));
	return least === undefined || least.sign >= 0 ? undefined : itemOf(weighed, "leave", least, least.hint);
}

/** Whether the largest map is known, and needs no more than that hint makes. */
function fits(largest: number | undefined, hint: number, classOf: (hint: number) => number): boolean {
	return largest !== undefined && classOf(largest) <= classOf(hint);
}

function most(candidates: readonly Candidate[]): Candidate | undefined {
	return candidates.reduce<Candidate | undefined>(
		(best, each) => (best === undefined || each.bytes > best.bytes ? each : best),
		undefined,
	);
}

/** All hints of a class make the same: the size of the largest map says more to the reader than the limit of the class. */
function nicer(weighed: Weighed, hint: number, classOf: (hint: number) => number): number {
	const largest = largestKnown(weighed);
	return largest !== undefined && classOf(largest) === classOf(hint) ? largest : hint;
}

/** Makes the record of an advice. `constant`: what the best constant would gain. */
export function itemOf(
	weighed: Weighed,
	kind: Advice["kind"],
	change: Omit<Change, "sign">,
	hint?: number,
	constant?: Change,
): Advice {
	const { site, made, known, seen, grew, growths, now, rebuilt } = weighed;
	const allocated = now.allocated + rebuilt;
	const [top] = site.growsAt;
	const elsewhere =
		top !== undefined && (top.file !== site.at.file || top.line !== site.at.line || top.fn !== site.at.fn);
	const { module, own } = moduleOf(site.at, site.mainModule);
	const scale = seen === 0 ? 1 : made / seen;
	return {
		kind,
		make_at: site.at,
		...(elsewhere ? { grows_at: placeOf(top) } : {}),
		map_type: site.mapType,
		...(hint === undefined ? {} : { hint }),
		...{
			made: Math.round(made),
			known: Math.round(known * scale),
			grew: Math.round(grew),
			growths: Math.round(growths),
		},
		...{ growths_saved: change.growths, bytes_saved: change.bytes },
		...(change.bytes > 0 && allocated > 0 ? { share_saved: Math.min(1, change.bytes / allocated) } : {}),
		...(constant === undefined ? {} : { constant_bytes_saved: constant.bytes }),
		entries_saved: Math.round(change.copied) + 0,
		held_bytes_change: change.heldPerMap,
		per: made > site.pids.size ? "second" : "run",
		...(site.sampled ? { sampled: true as const } : {}),
		...(module === undefined ? {} : { module }),
		own,
	};
}

function placeOf({ fn, file, line }: MakeSite["at"]): MakeSite["at"] {
	return { fn, ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }) };
}
