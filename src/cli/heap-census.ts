/**
 * Censuses beside an observation: each in a process of its own, which takes a fifth of a processor at most, one after
 * the other.
 */
import { setPriority } from "node:os";
import type { CensusRecord } from "../census/record.ts";
import { sanitize } from "../lib/sanitize.ts";
import type { Sink, WindowState } from "../observe/sink.ts";
import { readAnonymousBytes } from "../process/procfs.ts";
import { amountOf } from "../records/figure.ts";
import type { GomapgrowRecord, WindowRecord } from "../records/records.ts";
import type { HeapMaps } from "../report/heap-maps.ts";
import { formatBytes } from "../text/units.ts";

const SHARE = "20%";
const ROWS = 200;
/** Much for so many rows. */
const MAX_OUTPUT = 4 << 20;
/** Above it, and of more processes than these, the user has to ask. */
const MAX_BYTES = 8e9;
const MAX_PROCESSES = 4;

/** The command line that starts this program anew. */
function ownCommand(): string[] {
	return Bun.main.startsWith("/$bunfs/") ? ["/proc/self/exe"] : [process.execPath, Bun.main];
}

export class HeapCensus {
	readonly #show: (maps: HeapMaps) => void;
	/** Processes that are to be read, in their order. */
	#queue: number[] = [];
	#child: Bun.Subprocess<"ignore", "pipe", "pipe"> | undefined;
	#closed = false;

	constructor(show: (maps: HeapMaps) => void) {
		this.#show = show;
	}

	/** Reads the maps of these processes. `asked`: by the user, whatever their size and number. */
	read(pids: readonly number[], asked: boolean): void {
		const wanted = pids.filter((pid) => !this.#queue.includes(pid));
		wanted.forEach((pid, index) => {
			const why = asked ? undefined : reasonNot(pid, index);
			if (why === undefined) this.#queue.push(pid);
			else this.#show({ pid, state: "not read", why, onKey: true });
		});
		if (this.#child === undefined) void this.#next();
	}

	async #next(): Promise<void> {
		for (let pid = this.#queue.shift(); pid !== undefined && !this.#closed; pid = this.#queue.shift()) {
			this.#show({ pid, state: "reading" });
			const result = await this.#take(pid);
			this.#child = undefined;
			if (!this.#closed) this.#show(result);
		}
	}

	async #take(pid: number): Promise<HeapMaps> {
		const failed = (why: string): HeapMaps => ({ pid, state: "not read", why: sanitize(why, 300), onKey: false });
		try {
			const options = ["--json", "--top", `${ROWS}`, "--cpu", SHARE, "--timeout", "10m"];
			const child = Bun.spawn([...ownCommand(), "maps", `${pid}`, ...options], {
				...{ stdin: "ignore", stdout: "pipe", stderr: "pipe" },
			});
			this.#child = child;
			beOrdinary(child.pid);
			const [output, errors, code] = await Promise.all([textOf(child.stdout), textOf(child.stderr), child.exited]);
			if (code !== 0) return failed(errors.split("\n")[0] || `exit code ${code}`);
			return { pid, state: "read", census: JSON.parse(output) as CensusRecord };
		} catch (error) {
			return failed(error instanceof Error ? error.message : "it failed");
		}
	}

	/** Ends the one that is under way. */
	close(): void {
		this.#closed = true;
		this.#queue = [];
		this.#child?.kill("SIGKILL");
	}
}

function reasonNot(pid: number, index: number): string | undefined {
	if (index >= MAX_PROCESSES) return `there are more than ${MAX_PROCESSES} processes`;
	const bytes = readAnonymousBytes(pid);
	return bytes !== undefined && bytes > MAX_BYTES ? `the process uses ${formatBytes(bytes)}` : undefined;
}

/** The observation itself has to be on time, and has another priority. */
function beOrdinary(pid: number): void {
	try {
		setPriority(pid, 0);
	} catch {
		// It has ended already, or this process may not: it takes its share at most all the same.
	}
}

/** Throws when there is more than what can be meant. */
async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
	const decoder = new TextDecoder();
	let text = "";
	for await (const bytes of stream) {
		text += decoder.decode(bytes, { stream: true });
		if (text.length > MAX_OUTPUT) throw new Error("it printed too much");
	}
	return text + decoder.decode();
}

/** Begins when the observation is under way, with all processes of then; on the screen always, for lines when nothing grows. */
export class CensusSink implements Sink {
	readonly #census: HeapCensus;
	readonly #idleWindows: number | undefined;
	#windows = 0;
	#begun = false;

	/** `idleWindows`: so many have to end in which nothing grew; undefined: it begins with the first one. */
	constructor(census: HeapCensus, idleWindows?: number) {
		this.#census = census;
		this.#idleWindows = idleWindows;
	}

	write(_record: GomapgrowRecord): void {}

	window(_record: WindowRecord, state: WindowState): void {
		if (this.#begun) return;
		if (this.#idleWindows !== undefined) {
			const { growths } = state.total;
			if (growths === undefined || amountOf(growths) > 0) {
				this.#begun = true;
				return;
			}
			if (++this.#windows < this.#idleWindows) return;
		}
		this.#begun = true;
		this.#census.read(
			state.targets.map(({ pid }) => pid).filter((pid) => !state.ended.has(pid)),
			false,
		);
	}

	flush(): void {}

	close(): void {
		this.#census.close();
	}
}
