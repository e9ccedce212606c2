/** Loads the BPF object and owns everything in it. Order of release: links (their owners), ring, object. */
import type { Pointer } from "bun:ffi";
import { readFileSync } from "node:fs";
import { GomapgrowError } from "../errors/error.ts";
import type { FollowOffsets, TaskOffsets } from "./btf.ts";
import { forbiddenError, readConfinement } from "./confinement.ts";
import { objectPath } from "./embedded.ts";
import { ERRNO, errnoName } from "./errno.ts";
import { type AttachMode, BPF_TRACE_UPROBE_MULTI } from "./features.ts";
import { cstring, type Libbpf, libbpf, pointerOrNull, possibleCpus } from "./libbpf.ts";
import { errno } from "./libc.ts";
import { ownPidNamespace } from "./pid-namespace.ts";
import {
	ADDRESS_KEY,
	ALWAYS,
	CALL_ROWS,
	CERTAIN,
	FOLLOW_OFFSETS,
	MACHINE,
	NO_SLOT,
	NO_WRAPPERS,
	OPTIONS,
	RING_BYTES,
	ROW,
	SETTINGS,
	SITE,
	WRAPPER_RANGES,
	WRAPPERS,
} from "./wire.ts";

/** Programs of bpf/follow.h and the tracepoints that they are for. */
export const TRACEPOINTS = {
	follow_fork: "sched_process_fork",
	follow_exec: "sched_process_exec",
	follow_exit: "sched_process_exit",
} as const;
export type FollowProgram = keyof typeof TRACEPOINTS;
export type ProgramName = "growth" | "work" | "leave" | "iterate" | "make" | FollowProgram;
const FOLLOW_PROGRAMS = Object.keys(TRACEPOINTS) as readonly FollowProgram[];
const PROGRAMS: readonly ProgramName[] = ["growth", "work", "leave", "iterate", "make", ...FOLLOW_PROGRAMS];
/** Their tables, and how small each can be. */
const FOLLOW_MAPS = { tree: 1, roots: 1, other_files: 1, held: 1, follow_events: 4096 } as const;
type FollowMap = keyof typeof FOLLOW_MAPS | "holding" | "follow_counts";
export type MapName =
	| "sites"
	| "site_addresses"
	| "site_counts"
	| "call_rows"
	| "wrappers"
	| "latency_rows"
	| "goroutines"
	| "grown_maps"
	| "iterators"
	| MakeMap
	| "settings"
	| "events"
	| FollowMap;

const MAKE_MAPS = ["make_rows", "origins", "last_made", "collections"] as const;
type MakeMap = (typeof MAKE_MAPS)[number];

/** Each CPU has its own copy of a row: where there are many, there are fewer rows. */
const CALL_ROW_BYTES = 32 << 20;
const LEAST_CALL_ROWS = 4096;
const LOG_BYTES = 64 << 10;
/** The most that kernels before 5.2 take (kernel/bpf/verifier.c, UINT_MAX >> 8). */
const WHOLE_LOG_BYTES = 0xffffff;
/** Above this fill of the ring no samples are written any more: the rest is for growths. */
const HIGH_WATER = 0.85;

export interface BpfOptions {
	mode: AttachMode;
	/** Whether durations are measured, iterations and makes watched: what is not needed is not loaded. */
	latency: boolean;
	iterations: boolean;
	makes?: boolean | undefined;
	/** Offsets in the kernel's struct task_struct. */
	task?: TaskOffsets | undefined;
	/** Follows what processes start: offsets in the kernel's structs. */
	follow?: FollowOffsets | undefined;
	/** How many probed instructions there can be at a time. */
	maxSites: number;
	/** Other sizes of tables than the usual ones, to see what happens when they are full; of `events` in bytes, a power of two of pages. */
	sizes?: TableSizes | undefined;
	/**
	 * Gets the whole log of the verifier of each program, whether it is refused or not; keeping one makes loading slower.
	 */
	onVerifierLog?: ((program: ProgramName, log: string) => void) | undefined;
}

export type TableSizes = Partial<Record<"events" | "call_rows" | "latency_rows" | "goroutines" | MakeMap, number>>;

/** Nanoseconds of the monotonic clock; `to` is not included. */
export interface Gate {
	from: bigint;
	to: bigint;
}
export const CLOSED: Gate = { from: 0n, to: 0n };
const ALWAYS_OPEN: readonly [Gate, Gate] = [{ from: 0n, to: 2n ** 64n - 1n }, CLOSED];

/** What the kernel programs have to know about one site; see struct gmg_site. Offsets of 0 are not read. */
export interface SiteConfig {
	role: number;
	/** Exits: site of the function's entry. */
	entry?: number;
	outerEntry?: number;
	/** Growths: with which chance (0 to 1) one becomes a record. */
	chance?: number;
	goid?: number | undefined;
	parentGoid?: number | undefined;
	gopc?: number | undefined;
	startpc?: number | undefined;
	curg?: number | undefined;
	cgoGap?: number | undefined;
	/** Exits: where the thread keeps g, from its FS base; 0: g is in its register. */
	fsOffset?: number | undefined;
	argsOnStack?: boolean;
	gInRcx?: boolean;
	callerDepth?: number;
	slot?: number;
	outerSlot?: number;
	condition?: number;
	leavesTaken?: boolean;
	handsOver?: boolean;
	framePointer?: boolean;
	/** Offset of the hash seed in the map header. */
	seed?: number;
	readsFlags?: boolean;
	alwaysEnters?: boolean;
	/** Frame pointers that lead out of the goroutine's stack are not followed. */
	ownStackOnly?: boolean;
	/** Inlined copies and makes: distance from the stack pointer to the word with the map's address; 0: it is an argument, of makes not known; NO_MAP: it is not known. */
	mapAt?: number;
	/** Makes: the same of the hint and the map type; 0: they are arguments. */
	hintAt?: number;
	typeAt?: number;
	/** Twice the load factor of classic maps (src/gomap/classic.ts). */
	loadFactor?: number;
	/** Iterations and timed calls that began before this moment of the monotonic clock may have ended unseen. */
	sinceNs?: bigint;
	/** Hits count in these windows of the monotonic clock, in each one apart; absent: always, in the first one. */
	windows?: readonly [Gate, Gate] | undefined;
	/** Of the instruction, before the load bias. */
	address?: number;
	/** Number of the target's wrapper ranges. */
	wrappers?: number | undefined;
}

/** Which calls of the work tier become records. */
export interface Sampling {
	chance: number;
	slowNs: number;
	room: number;
}

function loadError(code: number, log: string): GomapgrowError {
	const found = `${errnoName(code)}${log === "" ? "" : `: ${log}`}`;
	// The verifier's own refusals are EACCES, too, but they come with its log.
	if (code === -ERRNO.EPERM || (code === -ERRNO.EACCES && log === "")) {
		return forbiddenError({ call: "bpf", wanted: "to load the BPF programs", found, confinement: readConfinement() });
	}
	const mend = log === "" ? "gomapgrow doctor" : "gomapgrow doctor --verifier-log   # all that the verifier says";
	return new GomapgrowError("E-HOST-BPF", { wanted: "to load the BPF programs", found, mend });
}

/** What is not needed is not loaded. */
function isNeeded(name: ProgramName, { latency, iterations, makes, follow }: BpfOptions): boolean {
	if (name === "leave") return latency;
	if (name === "iterate") return iterations;
	if (name === "make") return makes === true;
	return !(name in TRACEPOINTS) || follow !== undefined;
}

/** A chance from 0 to 1 as the programs have it. */
function chanceOf(chance: number): number {
	return Math.min(CERTAIN, Math.round(chance * 2 ** 32));
}

export class BpfObject {
	readonly mode: AttachMode;
	readonly maxSites: number;
	readonly ringBytes: number;
	readonly #lib: Libbpf = libbpf();
	// libbpf keeps pointing into the image until the object is loaded, and into the logs until it is closed.
	readonly #image: Uint8Array;
	readonly #logs = new Map<ProgramName, Uint8Array>();
	#object: Pointer | null;

	/** Loads the programs. Throws what forbids it (confinement.ts), or E-HOST-BPF with the verifier's last words. */
	constructor(options: BpfOptions) {
		const { mode } = options;
		this.mode = mode;
		this.maxSites = options.maxSites;
		this.ringBytes = options.sizes?.events ?? RING_BYTES;
		const file = readFileSync(objectPath);
		this.#image = new Uint8Array(new ArrayBuffer(file.length));
		this.#image.set(file);
		this.#lib.gmg_keep_user_reads();
		this.#object = pointerOrNull(this.#lib.bpf_object__open_mem(this.#image, this.#image.length, null));
		if (this.#object === null) throw loadError(-errno(), "");
		for (const name of PROGRAMS) {
			const program = this.program(name);
			if (!isNeeded(name, options)) {
				this.#lib.bpf_program__set_autoload(program, false);
				continue;
			}
			if (mode === "multi" && !(name in TRACEPOINTS))
				this.#lib.bpf_program__set_expected_attach_type(program, BPF_TRACE_UPROBE_MULTI);
			const whole = options.onVerifierLog !== undefined;
			const log = new Uint8Array(new ArrayBuffer(whole ? WHOLE_LOG_BYTES : LOG_BYTES));
			this.#logs.set(name, log);
			this.#lib.bpf_program__set_log_buf(program, log, log.length);
			if (whole) this.#lib.bpf_program__set_log_level(program, 1);
		}
		this.#setOptions(options);
		for (const map of ["sites", "site_addresses", "site_counts"] as const) this.#resize(map, options.maxSites);
		const rows = Math.floor(CALL_ROW_BYTES / (ROW.size * possibleCpus(this.#lib)));
		this.#resize("call_rows", Math.max(LEAST_CALL_ROWS, Math.min(CALL_ROWS, rows)));
		if (!options.latency) this.#resize("goroutines", 1);
		if (!options.iterations) for (const map of ["grown_maps", "iterators"] as const) this.#resize(map, 1);
		if (options.makes !== true) for (const map of MAKE_MAPS) this.#resize(map, 1);
		if (options.follow === undefined)
			for (const [map, size] of Object.entries(FOLLOW_MAPS)) this.#resize(map as FollowMap, size);
		for (const [map, size] of Object.entries(options.sizes ?? {})) this.#resize(map as keyof TableSizes, size);
		const code = this.#lib.bpf_object__load(this.#object);
		const logs = code === 0 && options.onVerifierLog === undefined ? [] : this.#verifierLogs();
		for (const [name, log] of logs) options.onVerifierLog?.(name, log);
		if (code !== 0) {
			this.close();
			throw loadError(code, logs.map(([, log]) => log.split("\n").slice(-3).join(" | ")).join(" || "));
		}
	}

	/** What the verifier said of the programs, without those of which it said nothing. */
	#verifierLogs(): [ProgramName, string][] {
		const logs = [...this.#logs].map(([name, bytes]): [ProgramName, string] => {
			const end = bytes.indexOf(0);
			return [
				name,
				Buffer.from(bytes.subarray(0, end < 0 ? bytes.length : end))
					.toString("utf8")
					.trim(),
			];
		});
		return logs.filter(([, log]) => log !== "");
	}

	/** struct gmg_options, which is a section of its own. */
	#setOptions(options: BpfOptions): void {
		const map = this.#lib.bpf_object__find_map_by_name(this.#object, cstring(".rodata.options"));
		const value = new Uint8Array(new ArrayBuffer(OPTIONS.size));
		const view = new DataView(value.buffer);
		view.setUint32(OPTIONS.machine, MACHINE[process.arch === "arm64" ? "arm64" : "amd64"], true);
		view.setUint32(OPTIONS.siteByAddress, options.mode === "perf-address" ? 1 : 0, true);
		view.setUint32(OPTIONS.iterations, options.iterations ? 1 : 0, true);
		view.setUint32(OPTIONS.makes, options.makes === true ? 1 : 0, true);
		view.setUint32(OPTIONS.fsBase, options.task?.fsBase ?? 0, true);
		view.setUint32(OPTIONS.sumExecRuntime, options.task?.sumExecRuntime ?? 0, true);
		view.setUint32(OPTIONS.execStart, options.task?.execStart ?? 0, true);
		const namespace = ownPidNamespace();
		view.setUint32(OPTIONS.pidNamespace, namespace?.inode ?? 0, true);
		view.setBigUint64(OPTIONS.pidNamespaceDevice, namespace?.device ?? 0n, true);
		view.setUint32(OPTIONS.follows, options.follow === undefined ? 0 : 1, true);
		const code = map === null ? -ERRNO.ENOENT : this.#lib.bpf_map__set_initial_value(map, value, OPTIONS.size);
		if (code !== 0) throw loadError(code, "the options in .rodata.options");
		if (options.follow !== undefined) this.#setFollowOffsets(options.follow);
	}

	/** struct gmg_follow_offsets, which is a section of its own, too. */
	#setFollowOffsets(offsets: FollowOffsets): void {
		const map = this.#lib.bpf_object__find_map_by_name(this.#object, cstring(".rodata.follow"));
		const value = new Uint8Array(new ArrayBuffer(FOLLOW_OFFSETS.size));
		for (const [name, offset] of Object.entries(offsets))
			new DataView(value.buffer).setUint32(FOLLOW_OFFSETS[name as keyof FollowOffsets], offset, true);
		const code = map === null ? -ERRNO.ENOENT : this.#lib.bpf_map__set_initial_value(map, value, value.length);
		if (code !== 0) throw loadError(code, "the offsets in .rodata.follow");
	}

	#resize(name: MapName, entries: number): void {
		const map = this.#lib.bpf_object__find_map_by_name(this.#object, cstring(name));
		const code = map === null ? -ERRNO.ENOENT : this.#lib.bpf_map__set_max_entries(map, entries);
		if (code !== 0) throw loadError(code, `the size of ${name}`);
	}

	program(name: ProgramName): Pointer {
		const program = pointerOrNull(this.#lib.bpf_object__find_program_by_name(this.#object, cstring(name)));
		if (program === null)
			throw new GomapgrowError("E-INTERNAL", {
				wanted: `a BPF program "${name}"`,
				found: "none in the embedded object",
			});
		return program;
	}

	mapFd(name: MapName): number {
		const map = this.#lib.bpf_object__find_map_by_name(this.#object, cstring(name));
		if (map === null)
			throw new GomapgrowError("E-INTERNAL", { wanted: `a BPF map "${name}"`, found: "none in the embedded object" });
		return this.#lib.bpf_map__fd(map);
	}

	#update(map: MapName, key: Uint8Array, value: Uint8Array): void {
		const code = this.#lib.bpf_map_update_elem(this.mapFd(map), key, value, 0);
		if (code !== 0)
			throw new GomapgrowError("E-HOST-BPF", { wanted: `to write the BPF map "${map}"`, found: errnoName(code) });
	}

	/** Tells the programs what site number `index` means; all but the chance before it is attached. */
	configureSite(index: number, config: SiteConfig): void {
		const key = new Uint8Array(new ArrayBuffer(4));
		new DataView(key.buffer).setUint32(0, index, true);
		const value = new Uint8Array(new ArrayBuffer(SITE.size));
		const view = new DataView(value.buffer);
		view.setUint32(SITE.role, config.role, true);
		view.setUint32(SITE.entry, config.entry ?? index, true);
		view.setUint32(SITE.outerEntry, config.outerEntry ?? 0, true);
		view.setUint32(SITE.chance, chanceOf(config.chance ?? 1), true);
		for (const field of [
			"goid",
			"parentGoid",
			"gopc",
			"startpc",
			"curg",
			"cgoGap",
			"mapAt",
			"hintAt",
			"typeAt",
		] as const) {
			view.setUint16(SITE[field], config[field] ?? 0, true);
		}
		view.setInt32(SITE.fsOffset, config.fsOffset ?? 0, true);
		view.setUint8(SITE.callerDepth, config.callerDepth ?? 0);
		view.setUint8(SITE.slot, config.slot ?? NO_SLOT);
		view.setUint8(SITE.outerSlot, config.outerSlot ?? NO_SLOT);
		view.setUint8(SITE.condition, config.condition ?? ALWAYS);
		view.setUint8(SITE.seed, config.seed ?? 0);
		for (const field of [
			...(["argsOnStack", "gInRcx", "leavesTaken", "handsOver", "framePointer"] as const),
			...(["readsFlags", "alwaysEnters", "ownStackOnly"] as const),
		]) {
			view.setUint8(SITE[field], config[field] === true ? 1 : 0);
		}
		view.setUint8(SITE.loadFactor, config.loadFactor ?? 0);
		view.setBigUint64(SITE.sinceNs, config.sinceNs ?? 0n, true);
		for (const [i, { from, to }] of (config.windows ?? ALWAYS_OPEN).entries()) {
			view.setBigUint64(SITE.openNs + 8 * i, from, true);
			view.setBigUint64(SITE.closeNs + 8 * i, to, true);
		}
		view.setBigUint64(SITE.address, BigInt(config.address ?? 0), true);
		view.setUint32(SITE.wrappers, config.wrappers ?? NO_WRAPPERS, true);
		this.#update("sites", key, value);
	}

	/**
	 * Code that calls the map code for somebody else: its callers are the call sites. Addresses before the load bias, ends not included; at most WRAPPER_RANGES
	 * of them count, and `number` is below MAX_WRAPPERS.
	 */
	setWrappers(number: number, ranges: readonly { from: number; to: number }[]): void {
		const key = new Uint8Array(new ArrayBuffer(4));
		new DataView(key.buffer).setUint32(0, number, true);
		const value = new Uint8Array(new ArrayBuffer(WRAPPERS.size));
		const view = new DataView(value.buffer);
		for (const [i, { from, to }] of ranges.slice(0, WRAPPER_RANGES).entries()) {
			view.setBigUint64(WRAPPERS.ranges + 16 * i, BigInt(from), true);
			view.setBigUint64(WRAPPERS.ranges + 16 * i + 8, BigInt(to), true);
		}
		this.#update("wrappers", key, value);
	}

	/** Mode "perf-address": the run-time address at which a process hits a site. */
	mapAddress(pid: number, address: number, index: number): void {
		const key = new Uint8Array(new ArrayBuffer(ADDRESS_KEY.size));
		const view = new DataView(key.buffer);
		view.setBigUint64(ADDRESS_KEY.ip, BigInt(address), true);
		view.setBigUint64(ADDRESS_KEY.tgid, BigInt(pid), true);
		const value = new Uint8Array(new ArrayBuffer(4));
		new DataView(value.buffer).setUint32(0, index, true);
		this.#update("site_addresses", key, value);
	}

	/**
	 * Calls of the work tier become records with this chance (0 to 1), and whatever the chance when they take `slowNs`; at most `room` until the next call
	 * of this function, not counting the slow ones.
	 */
	setSampling({ chance, slowNs, room }: Sampling): void {
		const value = new Uint8Array(new ArrayBuffer(SETTINGS.size));
		const view = new DataView(value.buffer);
		view.setBigUint64(SETTINGS.slowNs, BigInt(Math.round(slowNs)), true);
		view.setBigInt64(SETTINGS.sampleRoom, BigInt(room), true);
		view.setUint32(SETTINGS.sampleChance, chanceOf(chance), true);
		view.setUint32(SETTINGS.highWater, Math.floor(this.ringBytes * HIGH_WATER), true);
		this.#update("settings", new Uint8Array(new ArrayBuffer(4)), value);
	}

	close(): void {
		if (this.#object === null) return;
		this.#lib.bpf_object__close(this.#object);
		this.#object = null;
	}
}
