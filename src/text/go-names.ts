import { BoundedTable } from "../lib/bounded-table.ts";
import { sanitize } from "../lib/sanitize.ts";

/** Hides what is in brackets, the type arguments: `(*Cache[go.shape.int]).Put` -> `(*Cache[…]).Put`. */
function hideTypeArguments(name: string): string {
	let depth = 0;
	let result = "";
	for (const character of name) {
		if (character === "]" && depth > 0) depth--;
		if (depth === 0) result += character;
		if (character === "[" && depth++ === 0) result += "…";
	}
	return result;
}

/**
 * A Go function name as people say it: without the path of its package and without type arguments.
 * `example.com/a/store.(*Index).Add` -> `store.(*Index).Add`. The linker spells a dot in the last path element as
 * `%2e` (cmd/internal/objabi/path.go, PathToPrefix); it is read back. The result is safe to print.
 */
export function shortFunction(name: string): string {
	let short = shortened.get(name);
	if (short === undefined) {
		short = shorten(name);
		shortened.set(name, short);
	}
	return short;
}

/** A live screen asks for the same names each second. */
const MAX_SHORTENED = 4096;
const shortened = new BoundedTable<string, string>(MAX_SHORTENED);

function shorten(name: string): string {
	const short = hideTypeArguments(name);
	const receiver = short.indexOf("(");
	const slash = short.lastIndexOf("/", receiver < 0 ? short.length : receiver);
	const decoded = short
		.slice(slash + 1)
		.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
	return sanitize(decoded);
}

/** The last element of a file's path, safe to print. */
export function shortFile(path: string): string {
	return sanitize(path.slice(path.lastIndexOf("/") + 1));
}

/** A place in the source, as short as it stays clear: `store.(*Index).Add index.go:42`; "(unknown)" without a name. */
export function shortSite(site: { fn: string; file?: string; line?: number }): string {
	const place = shortPlace(site);
	const fn = site.fn === "" ? "(unknown)" : shortFunction(site.fn);
	return place === "" ? fn : `${fn} ${place}`;
}

/** File and line of a place: `index.go:42`; "" when the file is not known. */
export function shortPlace(site: { file?: string; line?: number }): string {
	if (site.file === undefined) return "";
	return site.line === undefined ? shortFile(site.file) : `${shortFile(site.file)}:${site.line}`;
}
