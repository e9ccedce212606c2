/** Whether a change has kept what an advice promised: a recording from before it and one from after it. */
import { sanitize } from "../lib/sanitize.ts";
import { shortSite } from "../text/go-names.ts";
import { formatBytes, formatCount, formatRate, perSecond, plural } from "../text/units.ts";
import { chooseAdvice } from "./choose.ts";
import type { MakeSite } from "./make-site.ts";
import { startClass } from "./population.ts";
import type { Advice } from "./record.ts";
import { type Weighed, weigh } from "./weigh.ts";

/** Other work than before: nothing can be said. */
const MOST_DIFFERENCE = 0.1;
/** So much of the promise is to be seen. */
const KEPT = 0.9;

/** One promise. */
export interface Checked {
	advice: Advice;
	/** unchanged: the line makes maps as before. unclear: it cannot be judged. */
	verdict: "kept" | "not kept" | "unchanged" | "unclear";
	/** Why it is unclear. */
	reason?: string;
	before?: Measures;
	after?: Measures;
}

/** Of the maps of one line. */
export interface Measures {
	made: number;
	growths: number;
	bytes: number;
	observedNs: number;
}

export interface Observed {
	sites: readonly MakeSite[];
	observedNs: number;
}

/** What was advised before, compared with what was seen after. */
export function checkPromises(before: Observed, after: Observed): Checked[] {
	const later = new Map(after.sites.map((site) => [orderKey(site, after.sites), site]));
	return before.sites.flatMap((site): Checked[] => {
		const { advice } = chooseAdvice(site);
		if (advice === undefined || advice.kind === "leave") return [];
		return [check(advice, site, later.get(orderKey(site, before.sites)), before, after)];
	});
}

/** By function, type and the order of the makes in the function: an edit may have moved lines. */
function orderKey(site: MakeSite, all: readonly MakeSite[]): string {
	const same = all.filter(({ at, mapType }) => at.fn === site.at.fn && mapType === site.mapType);
	const earlier = same.filter(({ at }) => (at.line ?? 0) < (site.at.line ?? 0)).length;
	return `${site.at.fn}\0${site.mapType}\0${earlier}`;
}

function check(
	advice: Advice,
	site: MakeSite,
	other: MakeSite | undefined,
	before: Observed,
	after: Observed,
): Checked {
	const unclear = (reason: string): Checked => ({ advice, verdict: "unclear", reason });
	if (other === undefined) return unclear("the second recording has no make of that type in that function");
	const [was, is] = [weigh(site), weigh(other)];
	if (was === undefined || is === undefined) return unclear("too little is known of the sizes of its maps");
	const seen = { before: measures(was, before), after: measures(is, after) };
	if (Math.abs(is.made - was.made) > MOST_DIFFERENCE * was.made) {
		return {
			...unclear(
				`other work: ${plural(Math.round(was.made), "map")} made before, ${formatCount(Math.round(is.made))} after`,
			),
			...seen,
		};
	}
	if (hintsOf(site) === hintsOf(other)) return { advice, verdict: "unchanged", ...seen };
	const scale = was.made === 0 ? 1 : is.made / was.made;
	const saved = { growths: was.growths * scale - is.growths, bytes: seen.before.bytes * scale - seen.after.bytes };
	const keeps = (promised: number, got: number): boolean => promised <= 0 || got >= KEPT * promised * scale;
	const kept = keeps(advice.growths_saved, saved.growths) && keeps(advice.bytes_saved, saved.bytes);
	return { advice, verdict: kept ? "kept" : "not kept", ...seen };
}

/** The classes of its hints: an unchanged line has the same. */
function hintsOf(site: MakeSite): string {
	const classes = site.parts.flatMap((part) => part.hints.map(([hint]) => startClass(part, hint)));
	return [...new Set(classes)].sort((a, b) => a - b).join(" ");
}

function measures({ made, growths, now, rebuilt }: Weighed, { observedNs }: Observed): Measures {
	return { made, growths, bytes: now.allocated + rebuilt, observedNs };
}

/** Exit code 5: a promise was not kept. 1: none could be judged. */
export function verdictOf(checked: readonly Checked[]): "kept" | "not kept" | "cannot judge" {
	if (checked.some(({ verdict }) => verdict === "not kept")) return "not kept";
	return checked.some(({ verdict }) => verdict === "kept") ? "kept" : "cannot judge";
}

/** One paragraph for each promise. */
export function checkText(checked: readonly Checked[]): string {
	const width = 13;
	const paragraphs = checked.map(({ advice, verdict, reason, before, after }) => {
		const lines = [`${verdict.padEnd(width)}${shortSite(advice.make_at)}  ${sanitize(advice.map_type)}`];
		lines.push(
			`promised: ${plural(advice.growths_saved, "growth")} and ${formatBytes(Math.max(0, advice.bytes_saved))} less`,
		);
		if (before !== undefined && after !== undefined) {
			lines.push(
				`per map: growths ${perMap(before, "growths")} → ${perMap(after, "growths")}, allocated ${perMap(before, "bytes")} → ${perMap(after, "bytes")}`,
			);
			lines.push(
				`per second: growths ${rate(before)} → ${rate(after)}, allocated ${byteRate(before)} → ${byteRate(after)}`,
			);
		}
		if (reason !== undefined) lines.push(reason);
		return lines.map((line, index) => (index === 0 ? line : " ".repeat(width) + line)).join("\n");
	});
	return `${paragraphs.length === 0 ? "the first recording gives rise to no advice" : paragraphs.join("\n\n")}\n`;
}

function perMap({ made, growths, bytes }: Measures, what: "growths" | "bytes"): string {
	const each = (what === "growths" ? growths : bytes) / Math.max(1, made);
	return what === "growths" ? formatRate(each) : formatBytes(Math.round(each));
}

const rate = ({ growths, observedNs }: Measures): string => formatRate(perSecond(growths, observedNs));
const byteRate = ({ bytes, observedNs }: Measures): string => formatBytes(Math.round(perSecond(bytes, observedNs)));
