/** `gomapgrow maps`: the maps that are in a process now, how full they are and who holds them. */
import { type Census, type Preparation, prepare, takeCensus } from "../census/census.ts";
import { groupRecordOf, mapRecordOf, writeJson } from "../census/json.ts";
import { FLAG } from "../census/map-table.ts";
import type { CensusHead } from "../census/record.ts";
import { openProgram } from "../census/scan.ts";
import { groupBy, listed, select, type Totals } from "../census/select.ts";
import { groupsTable, headText, limitsText, mapsTable } from "../census/text.ts";
import { EXIT, GomapgrowError } from "../errors/error.ts";
import { openGoBinary } from "../gobin/go-binary.ts";
import { monotonicNs, wallNs } from "../kernel/libc.ts";
import { requireOwnProc } from "../kernel/pid-namespace.ts";
import { ProcessMemory } from "../kernel/process-memory.ts";
import { sanitize } from "../lib/sanitize.ts";
import { resolveTarget, type TargetProcess } from "../process/discover.ts";
import { openFileBytes } from "../process/file-bytes.ts";
import { readLoadBias } from "../process/load-bias.ts";
import { isRunning } from "../process/process-watch.ts";
import { exePath } from "../process/procfs.ts";
import { formatWallTime } from "../records/time.ts";
import { decideColor } from "../text/color.ts";
import { plural } from "../text/units.ts";
import type { MapsOptions } from "./maps-options.ts";
import { writeAll } from "./write-all.ts";

/** Rows on a terminal and in a pipe without --top. */
const DEFAULT_ROWS = 30;
const PIPE_COLUMNS = 200;

/** A reading with what is printed before its maps. */
interface Taken {
	census: Census;
	head: CensusHead;
	rows: Uint32Array;
	totals: Totals;
}

/** Prints the maps; exit code 0. Throws E-USAGE, E-TARGET-…, E-BIN-…, E-HOST-LIBBPF, E-IO. */
export async function maps(operands: readonly string[], options: MapsOptions): Promise<number> {
	requireOwnProc();
	const target = oneTarget(operands);
	const file = openFileBytes(exePath(target.pid));
	try {
		const binary = openGoBinary(file);
		const bias = readLoadBias(target.pid, file.identity.ino, binary.elf);
		const memory = new ProcessMemory(target.pid);
		const preparation = whileRunning(target, () => prepare(openProgram(memory, binary, bias)));
		print(take(target, memory, preparation, options), options);
	} finally {
		file.close();
	}
	return EXIT.done;
}

/** The process that is meant; a name that means several is a matter of usage. */
function oneTarget(operands: readonly string[]): TargetProcess {
	const [argument, ...more] = operands;
	if (argument === undefined || more.length > 0) {
		throw new GomapgrowError("E-USAGE", {
			wanted: "one target",
			found: argument === undefined ? "none" : `${operands.length}`,
			mend: "gomapgrow maps 4711",
		});
	}
	try {
		return resolveTarget(argument);
	} catch (error) {
		if (!(error instanceof GomapgrowError) || error.code !== "E-TARGET-AMBIGUOUS") throw error;
		throw new GomapgrowError("E-USAGE", {
			wanted: error.wanted,
			found: error.found,
			...(error.mend === undefined ? {} : { mend: error.mend.replace("watch", "maps") }),
			cause: error,
		});
	}
}

/** What was read may be from another process that got the number, or the process ended meanwhile. */
function whileRunning<T>({ pid, startTime }: TargetProcess, read: () => T): T {
	const gone = (cause?: unknown): GomapgrowError =>
		new GomapgrowError("E-TARGET-GONE", {
			wanted: `to read the maps of process ${pid}`,
			found: "that it has ended meanwhile",
			cause,
		});
	try {
		const result = read();
		if (!isRunning(pid, startTime)) throw gone();
		return result;
	} catch (error) {
		if (error instanceof GomapgrowError && !isRunning(pid, startTime)) throw gone(error);
		throw error;
	}
}

function take(target: TargetProcess, memory: ProcessMemory, preparation: Preparation, options: MapsOptions): Taken {
	const started = monotonicNs();
	const deadline = started + BigInt(Math.round(options.timeoutMs * 1e6));
	const time = formatWallTime(wallNs());
	const census = whileRunning(target, () => takeCensus(memory, preparation, () => checkTime(deadline, options)));
	const { rows, totals } = listed(census);
	const { binary, impl } = preparation.program;
	const buildId = binary.buildId ?? binary.gnuBuildId;
	const head: CensusHead = {
		...{ type: "maps", time, pid: target.pid, name: sanitize(target.comm), start_time: target.startTime },
		...(buildId === undefined ? {} : { build_id: sanitize(buildId) }),
		...{ go_version: sanitize(binary.version.raw), map_impl: impl },
		duration_ns: Number(monotonicNs() - started),
		...{ heap_bytes: census.heapBytes, maps_bytes: totals.bytes, maps_total: totals.maps, omitted: 0 },
		limits: census.limits,
		garbage: garbageOf(census, rows),
	};
	return { census, head, rows, totals };
}

function checkTime(deadline: bigint, { timeoutMs }: MapsOptions): void {
	if (monotonicNs() <= deadline) return;
	throw new GomapgrowError("E-TIMEOUT", {
		wanted: `to read all maps within ${timeoutMs / 1000} s`,
		found: "that it takes longer",
		mend: `gomapgrow maps --timeout ${Math.ceil((timeoutMs * 4) / 1000)}s …`,
	});
}

function garbageOf({ table, referencesKnown }: Census, rows: Uint32Array): CensusHead["garbage"] {
	if (!referencesKnown) return {};
	let maps = 0;
	let bytes = 0;
	for (const row of rows) {
		if (table.has(row, FLAG.referenced)) continue;
		maps++;
		bytes += table.float("bytes", row);
	}
	return { unreferenced_maps: maps, unreferenced_bytes: bytes };
}

function print({ census, head, rows, totals }: Taken, options: MapsOptions): boolean {
	const chosen = select(census, rows, options);
	if (options.json) return printJson(census, head, chosen, options);
	const isTTY = process.stdout.isTTY === true;
	const color = decideColor({
		flag: options.color,
		env: { NO_COLOR: process.env.NO_COLOR, TERM: process.env.TERM },
		isTTY,
	});
	const columns = isTTY ? process.stdout.columns || 80 : PIPE_COLUMNS;
	const worst = select(census, rows, { sort: "waste", minBytes: 0, type: undefined })[0];
	const top = options.top ?? DEFAULT_ROWS;
	const around = { head, totals, worst, columns, color };
	const groups = options.by === "map" ? undefined : groupBy(census, chosen, options.by, options.sort);
	const total = groups?.length ?? chosen.length;
	const table =
		groups === undefined
			? mapsTable(census, chosen.subarray(0, top), columns)
			: groupsTable(census, groups.slice(0, top), columns);
	const what = options.by === "map" ? "map" : options.by === "type" ? "type" : "holder";
	const more = total > top ? [`and ${plural(total - top, `more ${what}`)}: --top ${total}, or --json for all`] : [];
	const notes = limitsText(around);
	const parts = [headText(census, around), [...(total === 0 ? ["no maps"] : table), ...more], notes];
	return writeAll(1, `${parts.map((lines) => lines.join("\n")).join("\n\n")}\n`);
}

function printJson(census: Census, head: CensusHead, chosen: Uint32Array, options: MapsOptions): boolean {
	const write = (text: string): boolean => writeAll(1, text);
	const lines = options.everyMs === undefined;
	if (options.by !== "map") {
		const groups = groupBy(census, chosen, options.by, options.sort).slice(0, options.top);
		const shown = groups.reduce((sum, { maps }) => sum + maps, 0);
		return writeJson(
			{ ...head, omitted: head.maps_total - shown },
			"groups",
			groups,
			(group) => groupRecordOf(census, group),
			write,
			lines,
		);
	}
	const shown = chosen.subarray(0, options.top);
	const omitted = head.maps_total - shown.length;
	return writeJson({ ...head, omitted }, "maps", shown, (row) => mapRecordOf(census, row), write, lines);
}
