/** What an advice says, sentence by sentence: text, Markdown and annotations are made of these. */
import { sanitize } from "../lib/sanitize.ts";
import { shortFunction, shortPlace, shortSite } from "../text/go-names.ts";
import { formatBytes, formatCount, formatRate, formatShare, perSecond, plural } from "../text/units.ts";
import type { Advice, AdviceKind } from "./record.ts";

/** As it is printed. */
export const KIND_NAMES: Readonly<Record<AdviceKind, string>> = {
	presize: "presize",
	"pass-number": "pass number",
	leave: "leave it",
	smaller: "smaller",
	rebuild: "rebuild",
	reuse: "reuse",
};

/** `main.newIndex prog.go:14` */
export function placeText({ make_at }: Advice): string {
	return shortSite(make_at);
}

/** What to write there: `make(map[int]int, 3000)`. */
export function editText({ kind, map_type, hint }: Advice): string {
	const type = sanitize(map_type);
	if (kind === "pass-number") return `make(${type}, n)`;
	if (kind === "leave" || hint === undefined) return type;
	return `make(${type}, ${hint})`;
}

/** What it gains, then what it rests on. */
export function sentences(advice: Advice, observedNs: number): string[] {
	return [gain(advice, observedNs), basis(advice), ...origin(advice)];
}

function about({ sampled }: Advice): string {
	return sampled ? "about " : "";
}

function gain(advice: Advice, observedNs: number): string {
	const { kind, growths, growths_saved, bytes_saved, share_saved, hint, made, grew } = advice;
	if (kind === "leave") {
		const stay = Math.max(0, made - grew);
		return `grows ${plural(growths, "time")}, but ${formatCount(stay)} of ${plural(made, "map")} need no hint: ${hint} would cost ${about(advice)}${formatBytes(-bytes_saved)} more`;
	}
	const share = share_saved === undefined ? "" : ` (${formatShare(share_saved, 1)} of what the line's maps allocate)`;
	const fewer = growths_saved > 0 ? `${about(advice)}${plural(growths_saved, "growth")} fewer and ` : "";
	const bytes = `${fewer}${about(advice)}${formatBytes(bytes_saved)} less allocated${share}`;
	if (advice.per === "run") return `once per run: ${bytes}`;
	const rates = [
		...(growths_saved > 0 ? [`${formatRate(perSecond(growths_saved, observedNs))} growths/s`] : []),
		`${formatBytes(perSecond(bytes_saved, observedNs))}/s`,
	];
	return `${bytes}: ${rates.join(", ")}`;
}

function basis(advice: Advice): string {
	const { kind, made, known, grew, held_bytes_change: held, constant_bytes_saved: constant, bytes_saved } = advice;
	const parts = [`${plural(made, "map")} made, ${formatCount(grew)} grew, size known of ${formatCount(known)}`];
	if (kind === "pass-number") {
		parts.unshift(
			constant === undefined || constant <= 0
				? "sizes differ: any constant costs more than it saves"
				: `sizes differ: the best constant saves only ${formatShare(constant, bytes_saved)} of that`,
		);
	}
	if (kind === "rebuild") parts.unshift("entries come and go: twice the room makes rebuilding rare");
	if (kind !== "leave" && held !== undefined) {
		parts.push(
			held === 0
				? "a map holds as much as before"
				: `a map holds ${formatBytes(Math.abs(held))} ${held < 0 ? "less" : "more"}`,
		);
	}
	return parts.join(" · ");
}

function origin({ grows_at, own, module }: Advice): string[] {
	return [
		...(grows_at === undefined ? [] : [`grows at ${shortFunction(grows_at.fn)} ${shortPlace(grows_at)}`.trimEnd()]),
		...(own ? [] : [`a dependency, not yours${module === undefined ? "" : `: ${sanitize(module)}`}`]),
	];
}
