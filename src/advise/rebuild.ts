/**
 * Churn: entries come and go, and deleted ones leave overflow buckets (classic) or tombstones (swiss) behind until the
 * map is rebuilt.
 */
import { rebuildBytes } from "../gomap/map-life.ts";
import { bucketRoom, GROUP_SLOTS } from "../gomap/sizing.ts";
import type { Advice } from "./record.ts";
import { type Change, changeTo, type Weighed } from "./weigh.ts";

type Item = (weighed: Weighed, kind: Advice["kind"], change: Omit<Change, "sign">, hint?: number) => Advice;

/** Same-size growths a map from which on it is advised. */
const OFTEN = 2;
/** Twice the buckets leave less than this part of the same-size growths (measured and simulated: 0 to 3 in 128). */
const LEFT = 0.05;

/**
 * Classic maps that were rebuilt at the same size again and again: with twice the buckets that need not happen. Undefined
 * for others. Swiss maps grow instead until there is room for the deleted ones, too: that is what presize accounts for.
 */
export function rebuildAdvice(weighed: Weighed, item: Item): Advice | undefined {
	const [first] = weighed.parts;
	if (first === undefined || first.part.kind.release.impl !== "classic") return undefined;
	const rebuilds = weighed.parts.flatMap(({ part }) => part.sameSize.map(([slots, count]) => ({ part, slots, count })));
	const count = rebuilds.reduce((sum, each) => sum + each.count * each.part.scale, 0);
	if (count < OFTEN * weighed.made) return undefined;
	const most = rebuilds.reduce((best, each) => (each.count > best.count ? each : best));
	const buckets = most.slots / GROUP_SLOTS;
	const hint = bucketRoom(Math.log2(buckets) + 1, most.part.kind.release.minor);
	const presized = changeTo(weighed, hint);
	const saved = rebuilds.filter(({ slots }) => slots <= most.slots);
	const garbage = saved.reduce(
		(sum, { part, slots, count: each }) =>
			sum + each * part.scale * rebuildBytes(part.kind, Math.log2(slots / GROUP_SLOTS)),
		0,
	);
	const growths = saved.reduce((sum, { part, count: each }) => sum + each * part.scale, 0);
	const bytes = presized.bytes + (1 - LEFT) * garbage;
	if (bytes <= 0 || presized.bytes + 0.5 * garbage <= 0) return undefined;
	const change = {
		growths: Math.round(presized.growths + (1 - LEFT) * growths),
		bytes: Math.round(bytes),
		copied: presized.copied,
		heldPerMap: presized.heldPerMap,
	};
	return item(weighed, "rebuild", change, hint);
}
