/**
 * Growths as a profile in the format of pprof (github.com/google/pprof, proto/profile.proto): what `go tool pprof`, Parca and
 * Pyroscope read.
 */
import {
	Function as Func,
	Label,
	Line,
	Location,
	Mapping,
	Profile,
	Sample,
	StringTable,
	ValueType,
} from "pprof-format";
import { OTHER } from "../../lib/bounded-table.ts";
import { sanitize } from "../../lib/sanitize.ts";
import type { Frame, GrowthRecord } from "../../records/records.ts";
import type { ExecutableIdentity } from "./executables.ts";

/** No name has alloc_, inuse_ or cpu in it: Pyroscope takes those for other profiles. */
const SAMPLE_TYPES = [
	["growths", "count"],
	["bytes", "bytes"],
	["copied", "bytes"],
	["delay", "nanoseconds"],
] as const;

/**
 * Frames of Go's map code, from the first of them on, are hidden: the place that grew the map is then the innermost, whatever the Go
 * release. Never all of the runtime: pprof cuts at the first match from the root, and what deferred functions, panics and cgo
 * callbacks call would go, too.
 */
export const DROP_FRAMES =
	"runtime\\.(map|growWork|hashGrow|evacuate|reflect_map|makemap).*|internal/runtime/maps\\..*";

/** Samples and locations of one profile, so that recordings of anybody take bounded memory. */
const MAX_SAMPLES = 100_000;
const MAX_LOCATIONS = 200_000;
/** Deeper than what is recorded live: a bound for recordings that somebody else wrote. */
const MAX_DEPTH = 256;
const MAX_PATH = 4096;

export interface ProfileOptions {
	/** Label samples with their goroutine. */
	goroutines?: boolean;
	/** Label samples with their process. */
	processes?: boolean;
}

/** What the profile is of, beside its samples. */
export interface ProfileContext {
	/** When it began, in nanoseconds since 1970. */
	timeNs: bigint;
	durationNs: number;
	/** Sentences on who wrote it and what is missing. */
	comments: readonly string[];
}

interface Sums {
	sample: Sample;
	values: [growths: number, bytes: number, copied: number, delay: number];
}

/** Adds growths up. Weights may have fractions, so that values are rounded at the end. */
export class ProfileBuilder {
	readonly #goroutines: boolean;
	readonly #processes: boolean;
	readonly #strings = new StringTable();
	readonly #functions = new Map<string, Func>();
	readonly #locations = new Map<string, Location>();
	readonly #mappings = new Map<string, Mapping>();
	readonly #samples = new Map<string, Sums>();
	/** Live stacks are interned, so that this spares the walk for all but the first of them. */
	readonly #stacks = new WeakMap<readonly Frame[], { mapping: Mapping; ids: number[] }>();
	#growths = 0;
	#timed = 0;
	#weighted = false;
	#folded = 0;

	constructor(options: ProfileOptions = {}) {
		this.#goroutines = options.goroutines === true;
		this.#processes = options.processes === true;
	}

	/** Records that are in it. */
	get growths(): number {
		return this.#growths;
	}

	/** A mapping for an executable, also where none of its maps grows. */
	addExecutable({ key, exe, buildId }: ExecutableIdentity): Mapping {
		const known = this.#mappings.get(key);
		if (known !== undefined) return known;
		const made = new Mapping({
			id: this.#mappings.size + 1,
			filename: this.#strings.dedup(sanitize(exe, MAX_PATH)),
			buildId: this.#strings.dedup(sanitize(buildId)),
			...{ hasFunctions: true, hasFilenames: true, hasLineNumbers: true, hasInlineFrames: true },
		});
		this.#mappings.set(key, made);
		return made;
	}

	add(record: GrowthRecord, executable: ExecutableIdentity): void {
		const { weight = 1, bytes = 0, bytes_moved = 0, duration_ns } = record;
		this.#growths++;
		if (duration_ns !== undefined) this.#timed++;
		if (weight !== 1) this.#weighted = true;
		const { values } = this.#sums(record, executable);
		values[0] += weight;
		values[1] += weight * bytes;
		values[2] += weight * bytes_moved;
		values[3] += weight * (duration_ns ?? 0);
	}

	#sums(record: GrowthRecord, executable: ExecutableIdentity): Sums {
		const stack = this.#stackIds(record.stack, this.addExecutable(executable));
		const { map_type, kind, cause, goid, pid } = record;
		const key = [
			...[stack.join(","), map_type, kind, cause],
			...[this.#goroutines ? goid : "", this.#processes ? pid : ""],
		].join("\n");
		const known = this.#samples.get(key);
		if (known !== undefined) return known;
		if (this.#samples.size >= MAX_SAMPLES) return this.#other();
		const label = [this.#text("map_type", map_type), this.#text("kind", kind), this.#text("cause", cause)];
		if (this.#goroutines && goid !== undefined) label.push(this.#number("goid", goid));
		if (this.#processes) label.push(this.#number("pid", pid));
		const made: Sums = { sample: new Sample({ locationId: stack, label }), values: [0, 0, 0, 0] };
		this.#samples.set(key, made);
		return made;
	}

	/** Everything beyond the bound, in one sample without a place. */
	#other(): Sums {
		this.#folded++;
		const known = this.#samples.get(OTHER);
		if (known !== undefined) return known;
		const made: Sums = { sample: new Sample({ label: [this.#text("map_type", OTHER)] }), values: [0, 0, 0, 0] };
		this.#samples.set(OTHER, made);
		return made;
	}

	#text(key: string, value: string): Label {
		return new Label({ key: this.#strings.dedup(key), str: this.#strings.dedup(sanitize(value)) });
	}

	#number(key: string, value: number): Label {
		return new Label({ key: this.#strings.dedup(key), num: value });
	}

	/** Innermost first, as pprof has them. */
	#stackIds(stack: readonly Frame[], mapping: Mapping): number[] {
		const known = this.#stacks.get(stack);
		if (known?.mapping === mapping) return known.ids;
		const ids: number[] = [];
		let lines: Line[] = [];
		let key = `${mapping.id}`;
		for (const frame of stack.slice(0, MAX_DEPTH)) {
			const { id } = this.#function(frame);
			lines.push(new Line({ functionId: id, line: frame.line ?? 0 }));
			key += ` ${id}:${frame.line ?? 0}`;
			// What is inlined is at the address of the function around it: one location with a line for each.
			if (frame.inlined === true) continue;
			ids.push(this.#location(key, lines, mapping));
			lines = [];
			key = `${mapping.id}`;
		}
		if (lines.length > 0) ids.push(this.#location(key, lines, mapping));
		this.#stacks.set(stack, { mapping, ids });
		return ids;
	}

	#location(key: string, line: Line[], mapping: Mapping): number {
		const known = this.#locations.get(key);
		if (known !== undefined) return Number(known.id);
		if (this.#locations.size >= MAX_LOCATIONS) {
			const other = this.#function({ fn: OTHER });
			key = OTHER;
			line = [new Line({ functionId: other.id })];
			const rest = this.#locations.get(key);
			if (rest !== undefined) return Number(rest.id);
		}
		const made = new Location({ id: this.#locations.size + 1, mappingId: mapping.id, line });
		this.#locations.set(key, made);
		return Number(made.id);
	}

	#function({ fn, file = "" }: Frame): Func {
		const key = `${fn}\n${file}`;
		const known = this.#functions.get(key);
		if (known !== undefined) return known;
		const name = this.#strings.dedup(fn === "" ? "(unknown)" : sanitize(fn));
		const made = new Func({
			...{ id: this.#functions.size + 1, name, systemName: name },
			filename: this.#strings.dedup(sanitize(file, MAX_PATH)),
		});
		this.#functions.set(key, made);
		return made;
	}

	/** The profile so far, not compressed. */
	encode({ timeNs, durationNs, comments }: ProfileContext): Uint8Array {
		const id = (text: string) => this.#strings.dedup(text);
		const types = SAMPLE_TYPES.map(([type, unit]) => new ValueType({ type: id(type), unit: id(unit) }));
		const said = [...comments, `${this.#timed} of ${this.#growths} recorded growths have a duration`];
		if (this.#weighted) said.push("growths were recorded for a sample: each stands for as many as its weight says");
		if (this.#folded > 0) said.push(`too many different stacks: ${this.#folded} growths are in ${OTHER}`);
		return new Profile({
			sampleType: types,
			sample: Array.from(this.#samples.values(), ({ sample, values }) => {
				sample.value = values.map(Math.round);
				return sample;
			}),
			mapping: [...this.#mappings.values()],
			location: [...this.#locations.values()],
			function: [...this.#functions.values()],
			...{ timeNanos: timeNs, durationNanos: Math.round(durationNs) },
			...{ periodType: new ValueType({ type: id("growths"), unit: id("count") }), period: 1 },
			defaultSampleType: id("growths"),
			dropFrames: id(DROP_FRAMES),
			comment: said.map(id),
			stringTable: this.#strings,
		}).encode();
	}
}
