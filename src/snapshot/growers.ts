/**
 * Who holds a lock is written nowhere. But a goroutine that works under a lock usually has the lock's address, or that of the object it is
 * in, in its frame: that is looked for in those that grow a map, and it is said as what it is.
 */
import type { Frame } from "../records/records.ts";
import type { FrameWords } from "./stack-notes.ts";
import type { StackShape } from "./stack-shapes.ts";

/** Locks lie near the beginning of their objects. */
const MAX_OBJECT = 4096;

/** A goroutine inside the growth of a map. */
export interface GrowingGoroutine {
	goid: number;
	shape: StackShape;
	pointers: readonly FrameWords[];
}

export interface Grower {
	goid: number;
	growthFn: string;
	/** The frame that has the address. */
	frame: Frame;
	evidence: "lock-address" | "object-address";
	/** The address of the object, for "object-address". */
	object?: number;
}

/** `waiting`: pointers in the frames of those who wait for the lock, through which they reached it. */
export function findGrowers(
	lock: number,
	waiting: readonly (readonly FrameWords[])[],
	growing: readonly GrowingGoroutine[],
): Grower[] {
	const objects = new Set(
		waiting.flatMap((frames) =>
			frames.flatMap(({ words }) => words.filter((word) => word < lock && word > lock - MAX_OBJECT)),
		),
	);
	return growing.flatMap(({ goid, shape, pointers }): Grower[] => {
		const growthFn = shape.work?.fn ?? "";
		const frameOf = (frame: number): Frame => shape.frames[shape.starts[frame] ?? -1] ?? { fn: "" };
		const direct = pointers.find(({ words }) => words.includes(lock));
		if (direct !== undefined) {
			return [{ goid, growthFn, frame: frameOf(direct.frame), evidence: "lock-address" }];
		}
		for (const { frame, words } of pointers) {
			const object = words.find((word) => objects.has(word));
			if (object === undefined) continue;
			return [{ goid, growthFn, frame: frameOf(frame), evidence: "object-address", object }];
		}
		return [];
	});
}
