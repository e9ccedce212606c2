/** Options, and a sentence, that several commands share. */
import { FLAME_METRICS } from "../export/flame/metric.ts";
import type { OptionSpec } from "./command-spec.ts";

export const COLOR: OptionSpec = {
	name: "color",
	value: "when",
	about: "auto, always or never (default: auto, which honours NO_COLOR)",
	completes: ["auto", "always", "never"],
};

export const METRIC: OptionSpec = {
	name: "metric",
	value: "what",
	about: "what the frames of a flame graph are as wide as: growths (default), work, time, bytes or moved",
	completes: FLAME_METRICS,
};

export const FLAME: OptionSpec = {
	name: "flame",
	value: "file",
	about: "write a flame graph to this SVG file at the end",
	completes: "file",
};

export const PPROF: OptionSpec = {
	name: "pprof",
	value: "file",
	about:
		"write a profile for `go tool pprof` to this new file at the end, one for each executable where {name} is in it",
	completes: "file",
};

export const GOID: OptionSpec = { name: "goid", about: "with --pprof: label growths with their goroutine" };

export const FORCE: OptionSpec = { name: "force", about: "replace files of exports that are there already" };

export const OUTPUT: OptionSpec = {
	name: "output",
	short: "o",
	value: "file",
	about: "write all records to this file, compressed when its name ends in .gz",
	completes: "file",
};

export const NO_FOLLOW: OptionSpec = {
	name: "no-follow",
	about: "observe the command only, not the programs that it starts",
};

export const JSON_OBJECT: OptionSpec = { name: "json", about: "as one JSON object" };

/** `usual`: the default of the command. */
export const budget = (usual: string): OptionSpec => ({
	name: "budget",
	value: "share",
	about: `most that probing may cost a target, as a share of one processor or of what it uses, or off (default: ${usual})`,
});

/** Of the commands that observe. */
export const observing = (budgetOption: OptionSpec): readonly OptionSpec[] => [
	{ name: "duration", value: "time", about: "stop after this long: 30s, 500ms, 2m, 1h (default: no end)" },
	{ name: "interval", value: "time", about: "length of a window, 100ms or more (default: 1s)" },
	budgetOption,
	{ name: "no-latency", about: "do not measure how long calls take: half the cost" },
	{
		name: "iter",
		about: "watch iterations, too, and report growths that overlap one: expensive where maps are ranged over much",
	},
	{ name: "makes", about: "watch where maps are made, too, with what hints, and how large they become" },
];

export const OBSERVING = observing(budget("1%"));

/** Of the commands that choose processes by themselves. */
export const IN_CONTAINERS: readonly OptionSpec[] = [
	{
		name: "container",
		value: "name",
		about: "only processes in a container of this name, or whose id begins so; * stands for any text",
	},
	{ name: "pod", value: "name", about: "only processes in a pod of this name: --pod 'web-*'" },
	{ name: "namespace", value: "name", about: "only processes in pods of this namespace" },
];

export const OUTPUTS: readonly OptionSpec[] = [
	{ name: "json", about: "records as NDJSON on standard output; with --output only the file gets them" },
	OUTPUT,
	FLAME,
	METRIC,
	PPROF,
	GOID,
	FORCE,
	COLOR,
];

export const TARGETS =
	"A target is a PID, the name of a process, or the path of an executable. Without one, all Go programs of this host are observed.";
