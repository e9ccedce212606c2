/**
 * Who holds a lock is written nowhere. But a goroutine that works under a lock usually has the lock's address, or that of the object it is
 * in, in its frame: that is looked for in those that grow a map or loop over one, and it is said as what it is.
 */
import type { Frame } from "../records/records.ts";
import type { FrameWords } from "./stack-notes.ts";
import type { StackShape } from "./stack-shapes.ts";

/** Locks lie near the beginning of their objects. */
const MAX_OBJECT = 4096;

/** A goroutine that may hold a lock. */
export interface MapUser {
	goid: number;
	shape: StackShape;
	pointers: readonly FrameWords[];
}

/** Why it may hold the lock. */
export interface Evidence<User extends MapUser> {
	user: User;
	/** The frame that has the address. */
	frame: Frame;
	evidence: "lock-address" | "object-address";
	/** The address of the object, for "object-address". */
	object?: number;
}

/** `waiting`: pointers in the frames of those who wait for the lock, through which they reached it. */
export function findUsers<User extends MapUser>(
	lock: number,
	waiting: readonly (readonly FrameWords[])[],
	users: readonly User[],
): Evidence<User>[] {
	const objects = new Set(
		waiting.flatMap((frames) =>
			frames.flatMap(({ words }) => words.filter((word) => word < lock && word > lock - MAX_OBJECT)),
		),
	);
	return users.flatMap((user): Evidence<User>[] => {
		const { shape, pointers } = user;
		const frameOf = (frame: number): Frame => shape.frames[shape.starts[frame] ?? -1] ?? { fn: "" };
		const direct = pointers.find(({ words }) => words.includes(lock));
		if (direct !== undefined) return [{ user, frame: frameOf(direct.frame), evidence: "lock-address" }];
		for (const { frame, words } of pointers) {
			const object = words.find((word) => objects.has(word));
			if (object === undefined) continue;
			return [{ user, frame: frameOf(frame), evidence: "object-address", object }];
		}
		return [];
	});
}
