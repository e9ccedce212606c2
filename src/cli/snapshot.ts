/** `gomapgrow snapshot`: the stacks of all goroutines of a process, without stopping it. */
import { EXIT, GomapgrowError } from "../errors/error.ts";
import { openGoBinary } from "../gobin/go-binary.ts";
import { monotonicNs, wallNs } from "../kernel/libc.ts";
import { requireOwnProc } from "../kernel/pid-namespace.ts";
import { ProcessMemory } from "../kernel/process-memory.ts";
import { StopRequest } from "../observe/stop-request.ts";
import { resolveTarget, type TargetProcess } from "../process/discover.ts";
import { openFileBytes } from "../process/file-bytes.ts";
import { readLoadBias } from "../process/load-bias.ts";
import { namingFile } from "../process/name-file.ts";
import { isRunning } from "../process/process-watch.ts";
import { exePath } from "../process/procfs.ts";
import { type ClockAnchor, elapsedNs, timeOf } from "../records/time.ts";
import type { SnapshotRecord } from "../snapshot/record.ts";
import { Snapshots } from "../snapshot/snapshots.ts";
import { snapshotText } from "../snapshot/text.ts";
import { type ColorFlag, decideColor } from "../text/color.ts";
import { parseDuration } from "./options.ts";
import { stopOnSignals } from "./signals.ts";
import { TargetThreads } from "./target-threads.ts";
import { writeAll } from "./write-all.ts";

export interface SnapshotOptions {
	count: number;
	intervalMs: number;
	json: boolean;
	color: ColorFlag;
}

const MAX_COUNT = 1_000_000;

/** The checked options, from cac's. Throws E-USAGE. */
export function snapshotOptions(options: Record<string, unknown>, color: ColorFlag): SnapshotOptions {
	const count = options.count === undefined ? 1 : Number(options.count);
	if (!(Number.isInteger(count) && count >= 1 && count <= MAX_COUNT)) {
		throw new GomapgrowError("E-USAGE", {
			wanted: "a number of snapshots after --count, 1 or more",
			found: JSON.stringify(options.count) ?? "nothing",
		});
	}
	return {
		count,
		intervalMs: options.interval === undefined ? 200 : parseDuration("--interval", options.interval),
		json: options.json === true,
		color,
	};
}

/** Prints the snapshots; exit code 0. Throws E-TARGET-…, E-BIN-…, E-HOST-LIBBPF, E-IO. */
export async function snapshot(argument: string, options: SnapshotOptions): Promise<number> {
	requireOwnProc();
	const target = resolveTarget(argument);
	const file = openFileBytes(exePath(target.pid));
	try {
		const binary = namingFile(file.path, () => openGoBinary(file));
		const bias = readLoadBias(target.pid, file.identity.ino, binary.elf);
		const source = { memory: new ProcessMemory(target.pid), threads: new TargetThreads(target) };
		const snapshots = new Snapshots(source, binary, bias, { pid: target.pid, name: target.comm });
		await takeAll(snapshots, target, options);
	} finally {
		file.close();
	}
	return EXIT.done;
}

async function takeAll(snapshots: Snapshots, target: TargetProcess, options: SnapshotOptions): Promise<void> {
	const anchor: ClockAnchor = { wallNs: wallNs(), monotonicNs: monotonicNs() };
	const stop = new StopRequest();
	stopOnSignals(stop);
	let last: SnapshotRecord | undefined;
	try {
		for (let taken = 0; taken < options.count && stop.reason === undefined; taken++) {
			const wait = taken * options.intervalMs - elapsedNs(anchor, monotonicNs()) / 1e6;
			// At least once the event loop, which is where signals arrive.
			if (taken > 0) await stop.sleep(Math.max(0, wait));
			if (stop.reason !== undefined) break;
			last = takeOne(snapshots, target, anchor);
			if (options.json && !writeAll(1, `${JSON.stringify(last)}\n`)) break;
		}
	} finally {
		// Also when it was interrupted or the process has ended in between: what was seen is shown.
		if (last !== undefined && !options.json) writeAll(1, asText(last, options));
	}
}

function takeOne(snapshots: Snapshots, { pid, startTime }: TargetProcess, anchor: ClockAnchor): SnapshotRecord {
	const gone = (cause?: unknown): GomapgrowError =>
		new GomapgrowError("E-TARGET-GONE", {
			wanted: `to read the goroutines of process ${pid}`,
			found: "that it has ended meanwhile",
			cause,
		});
	const started = monotonicNs();
	const moment = () => {
		return { time: timeOf(anchor, started), elapsedNs: elapsedNs(anchor, started), monotonicNs: Number(started) };
	};
	try {
		const record = snapshots.take(moment, () => Number(monotonicNs() - started));
		// What was read may be from another process that got the number.
		if (!isRunning(pid, startTime)) throw gone();
		return record;
	} catch (error) {
		if (error instanceof GomapgrowError && !isRunning(pid, startTime)) throw gone(error);
		throw error;
	}
}

function asText(record: SnapshotRecord, options: SnapshotOptions): string {
	const color = decideColor({
		flag: options.color,
		env: { NO_COLOR: process.env.NO_COLOR, TERM: process.env.TERM },
		isTTY: process.stdout.isTTY === true,
	});
	return snapshotText(record, options.count, color);
}
