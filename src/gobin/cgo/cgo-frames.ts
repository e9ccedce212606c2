import type { GoBinary } from "../go-binary.ts";

const CALLBACK = "runtime.cgocallback";
const SWITCH = "runtime.asmcgocall";
const CALL = "runtime.cgocall";
/** What cgoGap looks for, for callers that search for several names at once. */
export const CGO_WITNESSES: readonly string[] = [CALLBACK, SWITCH, CALL];
/** First release in which cgocallback is the function that switches stacks; before, cgocallback_gofunc was. */
const SINCE_MINOR = 17;
const PUSH_RBP = 0x55;

/**
 * A callback from C into Go runs on the stack of the goroutine that called C, right behind that call (runtime/asm_amd64.s, cgocallback). This is the distance in bytes
 * from the callback's outermost frame record, that of cgocallbackg, to the innermost one of the call of C: the frame pointers do not lead from one
 * to the other, but through the C code. Undefined where it is not known.
 *
 * cgocallback has its frame twice, the second time on the goroutine's stack, up to the saved stack pointer of the goroutine. asmcgocall saves that while it
 * stands at its own frame record (since Go 1.21, where assembly saves the frame pointer) or at its return address (before): then
 * the first record is that of its caller, cgocall, and lies at the upper end of its frame.
 */
export function cgoGap(binary: GoBinary): number | undefined {
	if (binary.arch !== "amd64" || !binary.cgo || binary.version.minor < SINCE_MINOR) return undefined;
	const found = binary.functionsByName(CGO_WITNESSES);
	const callback = found.get(CALLBACK);
	const asmcgocall = found.get(SWITCH);
	const cgocall = found.get(CALL);
	const frame = callback && binary.frameBytesAt(callback.entry);
	const callFrame = cgocall && binary.frameBytesAt(cgocall.entry);
	if (frame === undefined || callFrame === undefined || asmcgocall === undefined) return undefined;
	const record = 16;
	const returnAddress = 8;
	const saved = record + frame + returnAddress;
	return binary.bytesAt(asmcgocall.entry, 1)[0] === PUSH_RBP ? saved : saved + callFrame;
}
