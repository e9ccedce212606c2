import { malformed, place } from "./malformed.ts";

/** Longest text that is decoded, in bytes: the kernel's PATH_MAX. Generic type names can be far longer. */
const MAX_TEXT = 4096;

const utf8 = new TextDecoder();

/**
 * The NUL-terminated text at `offset`, decoded as UTF-8 (invalid bytes become U+FFFD). Longer ones than 4096 bytes are
 * cut and end in "…", so that many references to one huge string stay cheap.
 * @param end of the part of the section that the text must be in.
 * @throws GomapgrowError E-BIN-MALFORMED when the offset is not in the section, or the text does not end in it.
 */
export function textAt(bytes: Uint8Array, section: string, offset: number, end: number = bytes.length): string {
	if (!(offset >= 0 && offset < end)) throw malformed(`a text inside ${section}`, place(section, offset));
	const view = bytes.subarray(offset, Math.min(end, offset + MAX_TEXT));
	const length = view.indexOf(0);
	if (length >= 0) return utf8.decode(view.subarray(0, length));
	if (offset + MAX_TEXT >= end) throw malformed(`a text that ends inside ${section}`, place(section, offset));
	return `${utf8.decode(view)}…`;
}
