/** `gomapgrow maps --diff A.json B.json`: two readings of one process compared, in bounded memory. */
import { type ComparedHead, Comparison } from "../census/compare.ts";
import { diffText } from "../census/diff-text.ts";
import { CensusLines } from "../census/read-json.ts";
import { EXIT, GomapgrowError } from "../errors/error.ts";
import { readLines } from "../recording/read-lines.ts";
import type { MapsOptions } from "./maps-options.ts";
import { outputColumns } from "./output-columns.ts";
import { writeAll } from "./write-all.ts";

/** Lines from one collection of our garbage to the next. */
const COLLECT_EVERY = 1 << 16;

/** Prints what changed; exit code 0. Throws E-USAGE, E-RECORD-MALFORMED, E-IO. */
export async function mapsDiff(operands: readonly string[], options: MapsOptions): Promise<number> {
	const [before, after, ...more] = operands;
	if (before === undefined || after === undefined || more.length > 0) {
		throw new GomapgrowError("E-USAGE", {
			wanted: "two files after --diff",
			found: `${operands.length}`,
			mend: "gomapgrow maps 4711 --json > a.json; sleep 60; gomapgrow maps 4711 --json > b.json; gomapgrow maps --diff a.json b.json",
		});
	}
	let comparison: Comparison | undefined;
	await readFile(
		before,
		(head) => {
			comparison = new Comparison(head);
		},
		() => comparison,
		"addBefore",
	);
	await readFile(
		after,
		(head) => comparison?.begin(head),
		() => comparison,
		"addAfter",
	);
	if (comparison === undefined) {
		throw new GomapgrowError("E-RECORD-MALFORMED", { wanted: "two readings", found: "none" });
	}
	const result = (comparison as Comparison).result();
	const columns = outputColumns();
	writeAll(1, options.json ? `${JSON.stringify(result)}\n` : diffText(result, columns, options.top));
	return EXIT.done;
}

async function readFile(
	path: string,
	onHead: (head: ComparedHead) => void,
	comparison: () => Comparison | undefined,
	add: "addBefore" | "addAfter",
): Promise<void> {
	let lines = 0;
	const census = new CensusLines(onHead, (map) => {
		if (++lines % COLLECT_EVERY === 0) Bun.gc(true);
		comparison()?.[add](map);
	});
	const faults = await readLines(path, (line) => census.take(line));
	if (faults.lastLine !== undefined || faults.gzip !== undefined) {
		throw new GomapgrowError("E-RECORD-MALFORMED", {
			wanted: `all of ${path}`,
			found: "a file that was cut off",
		});
	}
	census.end();
}
