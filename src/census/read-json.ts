/** Reads what `gomapgrow maps --json` wrote, line by line: two million maps are never in memory as text. */
import { GomapgrowError } from "../errors/error.ts";
import { sanitize } from "../lib/sanitize.ts";
import type { ComparedHead, ComparedMap } from "./compare.ts";
import type { HolderRecord } from "./record.ts";

const KINDS = new Set<string>(["global", "field", "stack", "map", "other"]);

const malformed = (found: string, cause?: unknown): GomapgrowError =>
	new GomapgrowError("E-RECORD-MALFORMED", { wanted: "what gomapgrow maps --json writes", found, cause });

/** Takes the lines of one file. Throws E-RECORD-MALFORMED. */
export class CensusLines {
	readonly #onHead: (head: ComparedHead) => void;
	readonly #onMap: (map: ComparedMap) => void;
	/** Holders and types that came up before: most lines repeat them. */
	readonly #holders = new Map<string, HolderRecord>();
	#started = false;
	#ended = false;

	constructor(onHead: (head: ComparedHead) => void, onMap: (map: ComparedMap) => void) {
		this.#onHead = onHead;
		this.#onMap = onMap;
	}

	take(line: string): void {
		if (line === "" || this.#ended) return;
		if (!this.#started) {
			this.#started = true;
			this.#onHead(headOf(parse(line.endsWith("[") ? `${line}]}` : line)));
		} else if (line === "]}") this.#ended = true;
		else this.#onMap(this.#mapOf(parse(line.endsWith(",") ? line.slice(0, -1) : line)));
	}

	/** Throws E-RECORD-MALFORMED when the end is missing. */
	end(): void {
		if (!this.#started) throw malformed("an empty file");
		if (!this.#ended) throw malformed("a file that was cut off");
	}

	#mapOf(value: Record<string, unknown>): ComparedMap {
		const { address, type, candidates, entries, bytes, reclaimable_bytes, holder } = value;
		const at = typeof address === "string" && /^0x[0-9a-f]{1,13}$/.test(address) ? Number(address) : Number.NaN;
		const names = Array.isArray(candidates) ? candidates.map(String) : [];
		return {
			address: count(at),
			type: sanitize(typeof type === "string" ? type : `? ${names.join(" or ")}`),
			holder: this.#holderOf(holder),
			entries: count(entries),
			bytes: count(bytes),
			reclaimableBytes: reclaimable_bytes === undefined ? 0 : count(reclaimable_bytes),
		};
	}

	#holderOf(value: unknown): HolderRecord | undefined {
		if (typeof value !== "object" || value === null) return undefined;
		const { kind, path, goid } = value as Record<string, unknown>;
		if (typeof kind !== "string" || !KINDS.has(kind) || typeof path !== "string") return undefined;
		const key = `${kind} ${path}`;
		const known = this.#holders.get(key);
		if (known !== undefined) return known;
		const holder: HolderRecord = {
			kind: kind as HolderRecord["kind"],
			path: sanitize(path),
			...(typeof goid === "number" ? { goid } : {}),
		};
		this.#holders.set(key, holder);
		return holder;
	}
}

function parse(line: string): Record<string, unknown> {
	try {
		const value: unknown = JSON.parse(line);
		if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
	} catch (cause) {
		throw malformed("a line that is no JSON", cause);
	}
	throw malformed("a line that is no object");
}

function headOf({ type, pid, start_time, build_id, time, maps }: Record<string, unknown>): ComparedHead {
	if (type !== "maps") throw malformed(`a record of type ${JSON.stringify(type)}`);
	if (maps === undefined) throw malformed("sums by type or holder: the maps themselves are compared");
	const timeMs = Date.parse(String(time));
	return {
		pid: count(pid),
		startTime: count(start_time),
		buildId: typeof build_id === "string" ? build_id : undefined,
		timeMs: count(timeMs),
	};
}

function count(value: unknown): number {
	if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
	throw malformed(`${JSON.stringify(value)} where a whole number is due`);
}
