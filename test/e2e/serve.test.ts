/** `serve` on a real program: what scrapers and pprof clients get is what the program's own runtime counted. */
import { expect } from "bun:test";
import { gunzipSync } from "node:zlib";
import { Profile } from "pprof-format";
import { missingForTracing, testWith } from "../support/capability.ts";
import { start } from "../support/processes.ts";
import { GOMAPGROW } from "../support/trace.ts";
import { buildCounted } from "./build-program.ts";

const PATIENCE_MS = 30_000;

function callsOf(stdout: string, phase: "ready" | "end"): Record<string, number> | undefined {
	const line = new RegExp(`^{"phase":"${phase}".*}$`, "m").exec(stdout)?.[0];
	return line === undefined ? undefined : (JSON.parse(line) as { calls: Record<string, number> }).calls;
}

/** Sum of a metric's samples, which have integers. */
function sumOf(text: string, metric: string): number {
	const lines = text.split("\n").filter((line) => line.startsWith(`${metric}{`) || line.startsWith(`${metric} `));
	return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

testWith(missingForTracing())(
	"serve counts what the program counts, in metrics and profiles, and ends in order",
	async () => {
		const target = start([buildCounted("1.23"), "30000", "500"], { stdin: "pipe" });
		const before = await target.until("its counters", ({ stdout }) => callsOf(stdout, "ready"));
		const args = [
			"serve",
			String(target.pid),
			"--listen",
			"127.0.0.1:0",
			"--budget",
			"off",
			"--interval",
			"200ms",
			"--maps",
			"2s",
		];
		const server = start([GOMAPGROW, ...args]);
		const [, url = ""] = await server.until(
			"its address",
			({ stderr }) => /(http:\S+)\/metrics/.exec(stderr) ?? undefined,
		);
		const scrape = async () => await (await fetch(`${url}/metrics`)).text();
		const waitFor = async (what: (text: string) => boolean) => {
			const deadline = performance.now() + PATIENCE_MS;
			while (!what(await scrape())) {
				if (performance.now() > deadline) throw new Error(`still ${await scrape()}\n${server.stderr}`);
				await Bun.sleep(200);
			}
			return await scrape();
		};
		await waitFor((text) => text.includes("gomapgrow_target_info{"));
		expect((await fetch(`${url}/-/ready`)).status).toBe(200);
		// Before it works it has nothing but the maps of its runtime and packages; they are read all the same.
		await waitFor((metrics) => /^gomapgrow_censuses_total\{outcome="read"\} [1-9]/m.test(metrics));
		const profile = fetch(`${url}/debug/pprof/mapgrowth?seconds=60&pid=${target.pid}`);
		await Bun.sleep(1500);
		target.writeLine("go");
		const after = await target.until("its counters", ({ stdout }) => callsOf(stdout, "end"), PATIENCE_MS);
		const growths = (after["runtime.hashGrow"] ?? 0) - (before["runtime.hashGrow"] ?? 0);
		expect(growths).toBeGreaterThan(100);
		expect((await target.exited).code).toBe(0);
		const text = await waitFor((metrics) => sumOf(metrics, "gomapgrow_growths_total") >= growths);
		expect(sumOf(text, "gomapgrow_growths_total")).toBe(growths);
		// Those whose return was not seen before their process ended have none.
		expect(sumOf(text, "gomapgrow_growth_duration_seconds_count")).toBeWithin(growths / 2, growths + 1);
		expect(text).toContain('gomapgrow_hits_total{tier="growth",outcome="lost"} 0\n');
		// It goes on without a target.
		await waitFor((metrics) => /^gomapgrow_targets 0$/m.test(metrics));
		server.signal("SIGTERM");
		const { sample, mapping, stringTable } = Profile.decode(gunzipSync(await (await profile).arrayBuffer()));
		expect(sample.reduce((sum, { value }) => sum + Number(value[0]), 0)).toBe(growths);
		expect(mapping.map(({ filename }) => stringTable.strings[Number(filename)])).toEqual([target.argv[0]]);
		expect((await server.exited).code).toBe(0);
	},
	120_000,
);
