import type { GoBinary } from "./go-binary.ts";

/** First release that adjusts them on arm64 (runtime/stack.go, adjustframe; before: "TODO what about arm64 frame pointer adjustment?"). */
const ADJUSTED_SINCE_MINOR = 21;

/**
 * Whether frame pointers on a goroutine's stack still lead to where the stack was before it was copied, because it grew or shrank. What is there now may be another
 * goroutine's.
 */
export function keepsStaleFramePointers({ arch, version }: Pick<GoBinary, "arch" | "version">): boolean {
	return arch === "arm64" && version.minor < ADJUSTED_SINCE_MINOR;
}
