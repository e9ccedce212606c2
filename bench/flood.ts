/**
 * bench/flood.ts [GO VERSION] [SECONDS] [KEYS]: a program that does nothing but fill maps on all processors, watched without a budget for a minute. Offered are the calls
 * that it makes unobserved; under the probes it makes as many as they let it.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { flood } from "../test/support/flood.ts";
import { unaccounted } from "../test/support/trace.ts";

const [version = "1.23", seconds = "60", keys = "10000"] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "gomapgrow-bench-"));
try {
	const file = join(folder, "records.ndjson");
	const result = await flood({ version, keys: Number(keys), seconds: Number(seconds), file });
	const { offered, hits, end, peakBytes, cpuShare, longestPause } = result;
	const count = (n: number): string => Math.round(n).toLocaleString("en");
	console.log(`Go ${version}, maps of ${keys} entries, ${(end.elapsed_ns / 1e9).toFixed(0)} s`);
	console.log(`offered        ${count(offered)} calls/s; ${count(hits)} hits/s under the probes`);
	for (const [name, tier] of Object.entries(end.ledger)) {
		const { hits: all, recorded, sampled_out, throttled, lost } = tier;
		const rest = [recorded, sampled_out, throttled, lost].map(count).join(" / ");
		console.log(
			`${name.padEnd(14)} ${count(all)} hits = ${rest} (recorded / sampled out / throttled / lost), unaccounted ${unaccounted(tier)}`,
		);
	}
	console.log(`memory         ${(peakBytes / 2 ** 20).toFixed(0)} MiB at most`);
	console.log(`processor      ${(cpuShare * 100).toFixed(0)} % of one`);
	console.log(
		`target         longest time without progress ${(longestPause * 1000).toFixed(0)} ms (it tells each 50 ms), ended with ${result.targetExitCode}`,
	);
} finally {
	rmSync(folder, { recursive: true, force: true });
}
