/** Options of `gomapgrow advise`, checked. */
import { GomapgrowError } from "../errors/error.ts";
import { fileName, type LiveOptions, liveOptions } from "./options.ts";

export interface AdviseOptions {
	format: "text" | "json" | "github" | "markdown" | "patch";
	/** Compare two recordings. */
	check: boolean;
	/** Where sources are looked for; undefined: below the working directory. */
	source: string | undefined;
	rows: number;
	live: LiveOptions;
	/** Whether options were given that only an observation has. */
	observing: boolean;
}

const FORMATS = ["json", "github", "markdown", "patch"] as const;
const DEFAULT_ROWS = 20;
const DEFAULT_DURATION = "30s";

/** Throws E-USAGE. */
export function adviseOptions(options: Record<string, unknown>): AdviseOptions {
	const asked = FORMATS.filter((format) => options[format] === true);
	if (asked.length > 1) {
		throw new GomapgrowError("E-USAGE", {
			wanted: "one of --json, --github, --markdown and --patch",
			found: asked.map((format) => `--${format}`).join(" and "),
		});
	}
	const check = options.check === true;
	if (check && asked[0] !== undefined) {
		throw new GomapgrowError("E-USAGE", { wanted: "--check alone", found: `--${asked[0]} besides` });
	}
	const rows = options.rows === undefined ? DEFAULT_ROWS : Number(options.rows);
	if (!Number.isInteger(rows) || rows < 1) {
		throw new GomapgrowError("E-USAGE", {
			wanted: "a whole number from 1 on after --rows",
			found: JSON.stringify(options.rows) ?? "nothing",
		});
	}
	const { duration = DEFAULT_DURATION, budget, output } = options;
	return {
		...{ format: asked[0] ?? "text", check, rows, source: fileName("--source", options.source) },
		live: { ...liveOptions({ duration, budget, output, latency: false }), makes: true },
		observing: options.duration !== undefined || budget !== undefined || output !== undefined,
	};
}
