/** test/programs/rate under `gomapgrow watch`: what it grew by its own arithmetic, beside the records. */
import { join } from "node:path";
import { goBuild } from "./go-binaries.ts";
import { Program } from "./processes.ts";
import { GOMAPGROW, recordedTrace, type Trace } from "./trace.ts";

export interface RateOptions {
	version: string;
	/** Growths a second. */
	small?: number;
	large?: number;
	/** All growths of a second within so long: "50ms". */
	burst?: string;
	/** No growths in every second phase of this length. */
	phase?: string;
	threads?: number;
	/** Other work after each growth: "20us". */
	spin?: string;
	seconds?: number;
	/** Absent: the default. */
	budget?: string;
}

export interface RateRun {
	trace: Trace;
	/** Growths of small and of large maps. */
	truth: { small: number; large: number };
	/** Function -> calls. */
	calls: Record<string, number>;
}

/** Watches one from its first growth to its last. `folder` is for the records. */
export async function runRate(options: RateOptions, folder: string): Promise<RateRun> {
	const {
		version,
		small = 0,
		large = 0,
		burst = "0s",
		phase = "0s",
		threads = 1,
		spin = "0s",
		seconds = 10,
		budget,
	} = options;
	const path = goBuild({ version, program: "rate" });
	const rates = ["-small", String(small), "-large", String(large), "-burst", burst, "-phase", phase];
	const program = new Program([path, ...rates, "-threads", String(threads), "-spin", spin, "-for", `${seconds}s`], {
		stdin: "pipe",
	});
	const file = join(folder, `rate-${program.pid}.ndjson`);
	const limit = budget === undefined ? [] : ["--budget", budget];
	const tool = new Program([GOMAPGROW, "watch", "-o", file, "--interval", "500ms", ...limit, String(program.pid)]);
	try {
		await program.untilOutput(/ready/);
		await tool.untilOutput(/growth=/, 60_000);
		program.writeLine("go");
		const [, ...grown] = await program.untilOutput(/^\{"small":(\d+),"large":(\d+)\}$/m, (seconds + 60) * 1000);
		const [smallGrown = 0, largeGrown = 0] = grown.map(Number);
		const trace = recordedTrace(file, tool, await tool.finish(60_000));
		const calls: Record<string, number> =
			trace.targets[0]?.map_impl === "classic"
				? { "runtime.hashGrow": smallGrown + largeGrown }
				: {
						"internal/runtime/maps.(*Map).growToTable": smallGrown,
						"internal/runtime/maps.(*table).rehash": largeGrown,
					};
		return { trace, truth: { small: smallGrown, large: largeGrown }, calls };
	} finally {
		await tool.stop();
		await program.stop();
	}
}
