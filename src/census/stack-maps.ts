/** Maps whose header is on a goroutine's stack: they do not escape, but their buckets and groups are in the heap. */
import type { Candidate } from "./examine.ts";
import { FLAG } from "./map-table.ts";
import { REFERRER } from "./references.ts";
import type { Area, WalkContext } from "./walk.ts";

/** Of one stack; what is above is nearer to its bottom, and left out. */
const MAX_STACK = 1 << 20;
/** Of all stacks. */
const MAX_BYTES = 64 << 20;
const BATCH_BYTES = 4 << 20;

/** Adds them to the table. Uses the batch. */
export function findStackMaps({ spans, examiner, batch, areas, table, layouts, onProgress }: WalkContext): void {
	const pointerAt = layouts.impl === "classic" ? layouts.hmap.buckets : layouts.map.dirPtr;
	const stacks = areas.flatMap((area, number) => (area.goid === undefined ? [] : [{ area, number }]));
	let total = 0;
	for (let from = 0; from < stacks.length && total < MAX_BYTES; ) {
		onProgress();
		batch.clear();
		const part: { area: Area; number: number; length: number }[] = [];
		for (; from < stacks.length && batch.length < BATCH_BYTES; from++) {
			const { area, number } = stacks[from] as { area: Area; number: number };
			const length = Math.min(MAX_STACK, area.end - area.start);
			batch.add(area.start, length);
			part.push({ area, number, length });
		}
		total += batch.length;
		batch.read();
		const found: (Candidate & { area: number; offset: number })[] = [];
		part.forEach(({ area, number, length }, piece) => {
			if (!batch.isComplete(piece)) return;
			const start = batch.offset(piece);
			for (let at = 0; at + examiner.headerBytes <= length; at += 8) {
				const word = (start + at + pointerAt) >>> 2;
				if (spans.atWords(batch.words[word] as number, batch.words[word + 1] as number) < 0) continue;
				const header = examiner.headerIn(batch, start + at);
				if (header === undefined || !hasSeed(header)) continue;
				const candidate = { address: area.start + at, header, area: number, offset: at };
				found.push({ ...candidate, map: undefined, refusal: undefined, changed: false, missing: 0 });
			}
		});
		examiner.examine(found);
		for (const { map, refusal, area, offset } of found) {
			// Without memory of its own there is nothing to tell one by.
			if (map === undefined || refusal !== undefined || (map.flags & FLAG.empty) !== 0) continue;
			const row = table.add({ ...map, flags: map.flags | FLAG.onStack | FLAG.referenced });
			table.setNumber("holder", row, REFERRER.area - area);
			table.setWord("offset", row, offset);
		}
	}
}

/** A stack holds words of all kinds: without a seed it is none. */
function hasSeed(header: Candidate["header"]): boolean {
	return "buckets" in header ? header.seed !== 0 : !header.seedIsZero;
}
