/**
 * bench/coverage.ts [RUNS] [SECONDS] [PART OF A CELL'S NAME]: how often what is said of growths holds when they are sampled, in cells of a program whose rate is set: how many
 * numbers were exact, intervals or lower bounds, how many of these held, how wide the intervals were, and the mean error of the estimates with its standard error. Cells
 * are the same as in test/e2e/coverage.test.ts.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CELLS, runCell, type Said, summaryOf } from "../test/support/coverage.ts";

const [runs = "20", seconds = "10", part = ""] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "gomapgrow-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

for (const cell of CELLS) {
	const name = JSON.stringify(cell);
	if (!name.includes(part)) continue;
	const all: Said[] = [];
	for (let run = 0; run < Number(runs); run++) all.push(...(await runCell(cell, Number(seconds), folder)));
	console.log(`${name}, ${runs} runs of ${seconds} s`);
	for (const [what, said] of Map.groupBy(all, (one) => one.what)) console.log(`  ${what}: ${summaryOf(said)}`);
	for (const { what, figure, truth, holds } of all) {
		if (!holds) console.log(`  missed: ${what} ${JSON.stringify(figure)}, in truth ${truth}`);
	}
}
