/** `gomapgrow verify`: counts the calls of one process twice, by our programs and by perf events alone, and compares. */
import { EXIT } from "../errors/error.ts";
import { checkHost } from "../kernel/host-check.ts";
import { sanitize } from "../lib/sanitize.ts";
import { StopRequest } from "../observe/stop-request.ts";
import { resolveTarget } from "../process/discover.ts";
import { type ColorFlag, decideColor } from "../text/color.ts";
import { formatDuration, plural } from "../text/units.ts";
import { runVerification } from "../verify/run.ts";
import { verifyText } from "../verify/text.ts";
import { parseDuration } from "./options.ts";
import { stopOnSignals } from "./signals.ts";
import { writeAll } from "./write-all.ts";

export interface VerifyOptions {
	durationMs: number;
	json: boolean;
	color: ColorFlag;
}

const DEFAULT_DURATION_MS = 10_000;

/** The checked options, from cac's. Throws E-USAGE. */
export function verifyOptions(options: Record<string, unknown>, color: ColorFlag): VerifyOptions {
	return {
		durationMs: options.duration === undefined ? DEFAULT_DURATION_MS : parseDuration("--duration", options.duration),
		json: options.json === true,
		color,
	};
}

/** Exit code 1 when a function was counted differently for no reason that is known. Throws E-HOST-…, E-TARGET-…, E-BIN-…, E-IO. */
export async function verify(argument: string, options: VerifyOptions, command: readonly string[]): Promise<number> {
	const mode = checkHost(command);
	const target = resolveTarget(argument);
	const stop = new StopRequest();
	stopOnSignals(stop);
	const record = await runVerification(target, {
		mode,
		durationMs: options.durationMs,
		stop,
		sleep: Bun.sleep,
		onCounting: ({ identity }, functions) => {
			const what = `${plural(functions, "function")} of ${sanitize(identity.name)} ${identity.pid}`;
			writeAll(2, `counting ${what} twice for ${formatDuration(options.durationMs * 1e6)}\n`);
		},
	});
	writeAll(1, options.json ? `${JSON.stringify(record)}\n` : verifyText(record, useColor(options.color)));
	return record.verdict === "unexplained" ? EXIT.failed : EXIT.done;
}

function useColor(flag: ColorFlag): boolean {
	return decideColor({
		flag,
		env: { NO_COLOR: process.env.NO_COLOR, TERM: process.env.TERM },
		isTTY: process.stdout.isTTY === true,
	});
}
