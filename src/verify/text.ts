/** What `verify` found, as text for people. */
import picocolors from "picocolors";
import { shortFunction } from "../text/go-names.ts";
import { textTable } from "../text/text-table.ts";
import { formatCount, formatDuration, plural } from "../text/units.ts";
import { wrap } from "../text/wrap.ts";
import type { Verdict, VerificationRecord, VerifiedFunction } from "./record.ts";

const WIDTH = 80;

const WHERE: Record<VerificationRecord["scope"], string> = {
	processors: "on all processors",
	threads: "in its threads",
};

/** The whole text, ending in a line feed. */
export function verifyText(record: VerificationRecord, color: boolean): string {
	const colors = picocolors.createColors(color);
	const paint: Record<Verdict, (text: string) => string> = {
		equal: colors.green,
		explained: colors.yellow,
		unexplained: colors.red,
	};
	const { name, pid, go_version, map_impl, duration_ns, reason } = record;
	const ended = reason === "target-exit" ? ", until it ended" : "";
	const head = [
		`${colors.bold(`${name} ${pid}`)}  ${go_version} ${map_impl}`,
		...wrap(
			`counted twice for ${formatDuration(duration_ns)}${ended}: by the BPF programs, and by perf events ${WHERE[record.scope]} without BPF`,
			WIDTH,
		),
	];
	const sections = [
		head,
		table(record.functions),
		wrap(summaryOf(record), WIDTH).map((line) => paint[record.verdict](line)),
		reasons(record.functions),
		byHandText(record),
	];
	return `${sections
		.filter((lines) => lines.length > 0)
		.map((lines) => lines.join("\n"))
		.join("\n\n")}\n`;
}

function table(functions: readonly VerifiedFunction[]): string[] {
	const count = (of: (row: VerifiedFunction) => number): string[] => functions.map((row) => formatCount(of(row)));
	return textTable(
		[
			{ heading: "FUNCTION", kind: "text", cells: functions.map(({ fn }) => shortFunction(fn)) },
			{ heading: "CALLS", kind: "number", cells: count(({ calls }) => calls) },
			{ heading: "RESTARTS", kind: "number", cells: count(({ restarts }) => restarts) },
			{ heading: "BPF", kind: "number", cells: count(({ passes }) => passes.bpf) },
			{ heading: "PERF", kind: "number", cells: count(({ passes }) => passes.perf) },
			{ heading: "DIFFERENCE", kind: "text", cells: functions.map(differenceText) },
		],
		Number.POSITIVE_INFINITY,
	);
}

function signed(value: number): string {
	return value > 0 ? `+${formatCount(value)}` : value < 0 ? `-${formatCount(-value)}` : "0";
}

function differenceText({ difference: { low, high } }: VerifiedFunction): string {
	if (low === 0 && high === 0) return "none";
	if (low === -high) return `none ±${formatCount(high)}`;
	return low === high ? signed(low) : `${signed(low)} to ${signed(high)}`;
}

function summaryOf({ functions, verdict, scope }: VerificationRecord): string {
	const passes = functions.reduce((sum, { passes: { bpf } }) => sum + bpf, 0);
	const calls = functions.reduce((sum, row) => sum + row.calls, 0);
	const counted = `${formatCount(passes)} ${passes === 1 ? "pass" : "passes"} of ${plural(functions.length, "site")}`;
	switch (verdict) {
		case "equal":
			return `equal: both counted ${counted}; ${formatCount(calls)} are calls, ${formatCount(passes - calls)} restarts after the stack grew`;
		case "explained":
			return functions.every(({ difference: { low, high } }) => low <= 0 && high >= 0)
				? `explained: both counted ${counted}, equal as far as counters can be read while they go on`
				: `explained: ${counted}; what one of the two did not count has a reason`;
		case "unexplained": {
			const wrong = functions.filter((row) => row.verdict === "unexplained");
			const names = wrong.map(({ fn }) => shortFunction(fn)).join(", ");
			const unseen =
				scope === "processors" && wrong.every(({ difference: { low } }) => low > 0)
					? ", unless another process of the same file came and went unseen meanwhile"
					: "";
			return `UNEXPLAINED: ${names} ${wrong.length === 1 ? "was" : "were"} counted differently, and no reason is known${unseen}: do not trust these counts`;
		}
	}
}

/** One line for each reason, with the functions that have it. */
function reasons(functions: readonly VerifiedFunction[]): string[] {
	return functions.flatMap(({ fn, explanation }) => {
		return explanation === undefined ? [] : wrap(`${shortFunction(fn)}: ${explanation}`, WIDTH);
	});
}

/** Commands to be copied: they are not wrapped, and spaces in front of their lines do no harm. */
function byHandText({ by_hand }: VerificationRecord): string[] {
	if (by_hand === undefined) return [];
	return [
		"the same by hand, while it runs (what these count is BPF and PERF above):",
		...[by_hand.bpftrace, ...by_hand.perf].flatMap((command) => {
			return command.split("\n").map((line, index) => `${index === 0 ? "  " : "    "}${line}`);
		}),
	];
}
