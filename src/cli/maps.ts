/** `gomapgrow maps`: the maps that are in a process now, how full they are and who holds them. */
import { type Census, type Preparation, prepare, takeCensus } from "../census/census.ts";
import type { Comparison } from "../census/compare.ts";
import { compareFrom, compareTo, GrowthWatch } from "../census/compare-census.ts";
import { diffText } from "../census/diff-text.ts";
import { groupLine, MapLines, writeJson } from "../census/json.ts";
import { FLAG } from "../census/map-table.ts";
import { type PaceClock, pace } from "../census/pace.ts";
import type { CensusHead } from "../census/record.ts";
import { openProgram, readSweepgen } from "../census/scan.ts";
import { groupBy, type Listed, listed, select, selectTop, wantedRows } from "../census/select.ts";
import { groupsTable, headText, limitsText, mapsTable } from "../census/text.ts";
import { EXIT, GomapgrowError } from "../errors/error.ts";
import { openGoBinary } from "../gobin/go-binary.ts";
import { monotonicNs, wallNs } from "../kernel/libc.ts";
import { requireOwnProc } from "../kernel/pid-namespace.ts";
import { ProcessMemory } from "../kernel/process-memory.ts";
import { sanitize } from "../lib/sanitize.ts";
import { StopRequest } from "../observe/stop-request.ts";
import { resolveTarget, type TargetProcess } from "../process/discover.ts";
import { openFileBytes } from "../process/file-bytes.ts";
import { readLoadBias } from "../process/load-bias.ts";
import { namingFile } from "../process/name-file.ts";
import { isRunning } from "../process/process-watch.ts";
import { exePath, readSwappedBytes } from "../process/procfs.ts";
import { formatWallTime } from "../records/time.ts";
import { decideColor } from "../text/color.ts";
import { formatBytes, plural } from "../text/units.ts";
import type { MapsOptions } from "./maps-options.ts";
import { outputColumns } from "./output-columns.ts";
import { stopOnSignals } from "./signals.ts";
import { writeAll } from "./write-all.ts";

/** Rows on a terminal and in a pipe without --top. */
const DEFAULT_ROWS = 30;
/** Pieces of some MB. */
const COLLECT_EVERY = 4;
const WRITTEN_EVERY = 32;
/** From one look at the collector's generation to the next. */
const POLL_MS = 2;

/** A reading with what is printed before its maps. */
interface Taken {
	census: Census;
	head: CensusHead;
	list: Listed;
}

/**
 * Prints the maps, or what changed; exit code 0. Throws E-USAGE, E-TARGET-…, E-BIN-…, E-HOST-LIBBPF,
 * E-RECORD-MALFORMED, E-TIMEOUT, E-IO.
 */
export async function maps(operands: readonly string[], options: MapsOptions): Promise<number> {
	if (options.diff) {
		const { mapsDiff } = await import("./maps-diff.ts");
		return await mapsDiff(operands, options);
	}
	requireOwnProc();
	const target = oneTarget(operands);
	const file = openFileBytes(exePath(target.pid));
	try {
		const binary = namingFile(file.path, () => openGoBinary(file));
		const bias = readLoadBias(target.pid, file.identity.ino, binary.elf);
		const memory = new ProcessMemory(target.pid);
		const preparation = whileRunning(target, () => prepare(openProgram(memory, binary, bias)));
		await readAndPrint({ target, memory, preparation }, options);
	} finally {
		file.close();
	}
	return EXIT.done;
}

interface Source {
	target: TargetProcess;
	memory: ProcessMemory;
	preparation: Preparation;
}

async function readAndPrint(source: Source, options: MapsOptions): Promise<void> {
	const { everyMs } = options;
	const count = everyMs === undefined ? 1 : (options.count ?? Number.POSITIVE_INFINITY);
	const stop = new StopRequest();
	// While a single reading is under way nothing but its end could be waited for: a signal ends it as it is.
	if (everyMs !== undefined || options.waitGc) stopOnSignals(stop);
	const watch = new GrowthWatch();
	let comparison: Comparison | undefined;
	const started = performance.now();
	for (let reading = 0; reading < count && stop.reason === undefined; reading++) {
		if (reading > 0) await stop.sleep(Math.max(0, started + reading * (everyMs ?? 0) - performance.now()));
		if (options.waitGc) await waitForCollection(source, stop, options);
		if (stop.reason !== undefined) break;
		const taken = take(source, options);
		watch.see(taken.census, taken.head.time);
		if (comparison === undefined || options.json) {
			if (!print(taken, options)) break;
		} else {
			compareTo(comparison, taken.census, taken.head, taken.list.rows);
			if (!writeAll(1, `\n${diffText(comparison.result(), outputColumns(), options.top)}`)) break;
		}
		if (count > 1 && !options.json) comparison = compareFrom(taken.census, taken.head, taken.list.rows);
	}
}

/** Right after a collection all that is in the heap is alive, but for what was allocated since. */
async function waitForCollection(
	{ target, memory, preparation }: Source,
	stop: StopRequest,
	options: MapsOptions,
): Promise<void> {
	const read = (): number => whileRunning(target, () => readSweepgen(memory, preparation.program));
	const before = read();
	const until = performance.now() + options.timeoutMs;
	while (stop.reason === undefined && read() === before) {
		if (performance.now() > until) {
			throw new GomapgrowError("E-TIMEOUT", {
				wanted: `a garbage collection within ${options.timeoutMs / 1000} s`,
				found: "none: the program allocates little (the runtime collects every two minutes at least)",
				mend: "gomapgrow maps --wait-gc --timeout 150s …",
			});
		}
		await stop.sleep(POLL_MS);
	}
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

function take({ target, memory, preparation }: Source, options: MapsOptions): Taken {
	const started = monotonicNs();
	const deadline = started + BigInt(Math.round(options.timeoutMs * 1e6));
	const time = formatWallTime(wallNs());
	const census = whileRunning(target, () => takeCensus(memory, preparation, progress(deadline, options)));
	const list = listed(census);
	const { rows, totals } = list;
	const { binary, impl } = preparation.program;
	const buildId = binary.buildId ?? binary.gnuBuildId;
	const head: CensusHead = {
		...{ type: "maps", time, pid: target.pid, name: sanitize(target.comm), start_time: target.startTime },
		...(buildId === undefined ? {} : { build_id: sanitize(buildId) }),
		...{ go_version: sanitize(binary.version.raw), map_impl: impl },
		duration_ns: Number(monotonicNs() - started),
		...{ heap_bytes: census.heapBytes, maps_bytes: totals.bytes, maps_total: totals.maps, omitted: 0 },
		limits: [...swapNote(target.pid), ...census.limits],
		garbage: garbageOf(census, rows),
	};
	return { census, head, list };
}

/** Reading brings memory back that was swapped out. */
function swapNote(pid: number): string[] {
	const bytes = readSwappedBytes(pid);
	return bytes === 0
		? []
		: [`${formatBytes(bytes)} of the process are swapped out: reading brings back what it touches`];
}

/**
 * Watches the time. Two million maps leave much garbage here, which would be collected only when it is several times
 * what is kept.
 */
function progress(deadline: bigint, { timeoutMs, cpu }: MapsOptions): () => void {
	let calls = 0;
	const look = (): void => {
		if (monotonicNs() > deadline) throw late(timeoutMs);
	};
	const rest = cpu === undefined ? undefined : pace(cpu, OWN_CLOCK, look);
	return () => {
		if (++calls % COLLECT_EVERY === 0) Bun.gc(true);
		look();
		rest?.();
	};
}

/** Of this process, from its start on. */
const OWN_CLOCK: PaceClock = {
	cpuMs: () => {
		const { user, system } = process.cpuUsage();
		return (user + system) / 1000;
	},
	elapsedMs: () => performance.now(),
	sleepMs: (ms) => Bun.sleepSync(Math.ceil(ms)),
};

function late(timeoutMs: number): GomapgrowError {
	return new GomapgrowError("E-TIMEOUT", {
		wanted: `to read all maps within ${timeoutMs / 1000} s`,
		found: "that it takes longer",
		mend: `gomapgrow maps --timeout ${Math.ceil((timeoutMs * 4) / 1000)}s …`,
	});
}

function garbageOf({ table, holders, referencesKnown }: Census, rows: Uint32Array): CensusHead["garbage"] {
	let [maps, bytes, mostBytes] = [0, 0, 0];
	for (let i = 0; i < rows.length; i++) {
		const row = rows[i] as number;
		if (!holders.isRooted(holders.of(row))) mostBytes += table.word("bytes", row);
		if (table.has(row, FLAG.referenced)) continue;
		maps++;
		bytes += table.word("bytes", row);
	}
	return {
		at_most_bytes: mostBytes,
		...(referencesKnown ? { unreferenced_maps: maps, unreferenced_bytes: bytes } : {}),
	};
}

function print({ census, head, list }: Taken, options: MapsOptions): boolean {
	if (options.json) return printJson(census, head, list.rows, options);
	const isTTY = process.stdout.isTTY === true;
	const color = decideColor({
		flag: options.color,
		env: { NO_COLOR: process.env.NO_COLOR, TERM: process.env.TERM },
		isTTY,
	});
	const columns = outputColumns();
	const around = { head, totals: list.totals, worst: list.worst, columns, color };
	const { lines, total, shown } = tableText(census, list.rows, columns, options);
	const what = options.by === "map" ? "map" : options.by === "type" ? "type" : "holder";
	const more = total > shown ? [`and ${plural(total - shown, `more ${what}`)}: --top ${total}, or --json for all`] : [];
	const parts = [headText(census, around), [...(total === 0 ? ["no maps"] : lines), ...more], limitsText(around)];
	return writeAll(1, `${parts.map((part) => part.join("\n")).join("\n\n")}\n`);
}

function tableText(
	census: Census,
	rows: Uint32Array,
	columns: number,
	options: MapsOptions,
): { lines: string[]; total: number; shown: number } {
	const limit = options.top ?? DEFAULT_ROWS;
	if (options.by === "map") {
		const { top, total } = selectTop(census, rows, options, limit);
		return { lines: mapsTable(census, top, columns), total, shown: top.length };
	}
	const groups = groupBy(census, wantedRows(census, rows, options), options.by, options.sort);
	const shown = groups.slice(0, limit);
	return { lines: groupsTable(census, shown, columns), total: groups.length, shown: shown.length };
}

function printJson(census: Census, head: CensusHead, rows: Uint32Array, options: MapsOptions): boolean {
	let pieces = 0;
	const write = (text: string): boolean => {
		if (++pieces % WRITTEN_EVERY === 0) Bun.gc(true);
		return writeAll(1, text);
	};
	const lines = options.everyMs === undefined;
	if (options.by !== "map") {
		const groups = groupBy(census, wantedRows(census, rows, options), options.by, options.sort).slice(0, options.top);
		const shown = groups.reduce((sum, { maps }) => sum + maps, 0);
		return writeJson(
			{ ...head, omitted: head.maps_total - shown },
			"groups",
			groups,
			(group) => groupLine(census, group),
			write,
			lines,
		);
	}
	const shown = select(census, rows, options).subarray(0, options.top);
	const omitted = head.maps_total - shown.length;
	const records = new MapLines(census);
	return writeJson({ ...head, omitted }, "maps", shown, (row) => records.line(row), write, lines);
}
