/** A unified diff of single lines. */

export interface PatchedFile {
	/** Relative, without "..". */
	path: string;
	text: string;
	/** Line number (1 is the first) -> the new line. */
	edits: ReadonlyMap<number, string>;
}

const CONTEXT = 3;

/** Throws RangeError for a path that leads elsewhere or would not stand on one line. */
export function unifiedDiff(files: readonly PatchedFile[]): string {
	return files
		.filter(({ edits }) => edits.size > 0)
		.sort((a, b) => (a.path < b.path ? -1 : 1))
		.map(fileDiff)
		.join("");
}

/** Whether a path may stand in a patch. */
export function isPatchable(path: string): boolean {
	const parts = path.split("/");
	// patch(1) ends a name at a tab; quotes and backslashes begin a quoted one.
	return (
		path !== "" &&
		!/[\p{Cc}\p{Zl}\p{Zp}"\\]/u.test(path) &&
		parts.every((part) => part !== "" && part !== "." && part !== "..")
	);
}

function fileDiff({ path, text, edits }: PatchedFile): string {
	if (!isPatchable(path)) throw new RangeError(`no path for a patch: ${JSON.stringify(path)}`);
	const complete = text.endsWith("\n");
	const lines = text.split("\n");
	if (complete) lines.pop();
	const numbers = [...edits.keys()].filter((line) => line >= 1 && line <= lines.length).sort((a, b) => a - b);
	const hunks: number[][] = [];
	for (const number of numbers) {
		const last = hunks.at(-1);
		if (last !== undefined && number - (last.at(-1) as number) <= 2 * CONTEXT) last.push(number);
		else hunks.push([number]);
	}
	const written = (mark: string, line: number, content: string): string => {
		const end = line === lines.length && !complete ? "\n\\ No newline at end of file\n" : "\n";
		return `${mark}${content}${end}`;
	};
	const bodies = hunks.map((hunk) => {
		const from = Math.max(1, (hunk[0] as number) - CONTEXT);
		const to = Math.min(lines.length, (hunk.at(-1) as number) + CONTEXT);
		const size = to - from + 1;
		let body = `@@ -${from},${size} +${from},${size} @@\n`;
		for (let line = from; line <= to; line++) {
			const content = lines[line - 1] as string;
			const edited = edits.get(line);
			body +=
				edited === undefined ? written(" ", line, content) : written("-", line, content) + written("+", line, edited);
		}
		return body;
	});
	return `--- a/${path}\n+++ b/${path}\n${bodies.join("")}`;
}
