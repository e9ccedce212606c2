/**
 * Two readings of one process compared: kinds of maps whose number changes, maps that grow, maps that lost entries
 * and kept their memory.
 */
import { GomapgrowError } from "../errors/error.ts";
import type { DiffRecord, MapChange, MapGroupChange } from "./diff-record.ts";
import type { HolderRecord } from "./record.ts";

/** What is compared of a map. */
export interface ComparedMap {
	address: number;
	type: string;
	holder: HolderRecord | undefined;
	entries: number;
	bytes: number;
	reclaimableBytes: number;
}

/** What tells processes apart, and readings. */
export interface ComparedHead {
	pid: number;
	startTime: number;
	buildId: string | undefined;
	/** Milliseconds since 1970. */
	timeMs: number;
}

interface GroupState {
	type: string;
	holder: HolderRecord | undefined;
	maps: [number, number];
	bytes: [number, number];
	/** Maps of the first reading that are in the second one, too. */
	stayed: number;
}

/** Single maps that are listed, of each kind. */
const MAX_MAPS = 50;
const MAX_GROUPS = 1000;
const FIRST_CAPACITY = 1 << 12;

export class Comparison {
	readonly #before: ComparedHead;
	readonly #groups = new Map<string, GroupState>();
	readonly #numbers: GroupState[] = [];
	readonly #groupNumbers = new Map<GroupState, number>();
	#seconds = 0;
	#capacity = FIRST_CAPACITY;
	#count = 0;
	#addresses = new Float64Array(FIRST_CAPACITY);
	#entries = new Float64Array(FIRST_CAPACITY);
	#bytes = new Float64Array(FIRST_CAPACITY);
	#group = new Int32Array(FIRST_CAPACITY);
	/** Open addressing by address: number of the map + 1. */
	#slots = new Int32Array(0);
	#grown: MapChange[] = [];
	#emptied: MapChange[] = [];

	constructor(before: ComparedHead) {
		this.#before = before;
	}

	/** The second reading begins. Throws E-USAGE when it is of another process, or older. */
	begin(after: ComparedHead): void {
		const before = this.#before;
		const same = before.pid === after.pid && before.startTime === after.startTime && before.buildId === after.buildId;
		if (!same) {
			throw new GomapgrowError("E-USAGE", {
				wanted: "two readings of one process",
				found: `process ${before.pid}, started at ${before.startTime}, and process ${after.pid}, started at ${after.startTime}`,
			});
		}
		this.#seconds = (after.timeMs - before.timeMs) / 1000;
		if (!(this.#seconds > 0)) {
			throw new GomapgrowError("E-USAGE", { wanted: "the older reading first", found: "the newer one first" });
		}
		this.#index();
	}

	/** A map of the first reading. */
	addBefore({ address, type, holder, entries, bytes }: ComparedMap): void {
		const group = this.#groupOf(type, holder);
		const state = this.#numbers[group] as GroupState;
		state.maps[0]++;
		state.bytes[0] += bytes;
		if (this.#count === this.#capacity) this.#grow();
		this.#addresses[this.#count] = address;
		this.#entries[this.#count] = entries;
		this.#bytes[this.#count] = bytes;
		this.#group[this.#count] = group;
		this.#count++;
	}

	/** A map of the second reading. */
	addAfter({ address, type, holder, entries, bytes, reclaimableBytes }: ComparedMap): void {
		const group = this.#groupOf(type, holder);
		const state = this.#numbers[group] as GroupState;
		state.maps[1]++;
		state.bytes[1] += bytes;
		const known = this.#find(address);
		// The heap does not move; another type at the address is another map.
		if (known < 0 || this.#numbers[this.#group[known] as number]?.type !== type) return;
		(this.#numbers[this.#group[known] as number] as GroupState).stayed++;
		const [entriesBefore, bytesBefore] = [this.#entries[known] as number, this.#bytes[known] as number];
		const change: MapChange = {
			address: `0x${address.toString(16)}`,
			type,
			...(holder === undefined ? {} : { holder }),
			entries: [entriesBefore, entries],
			bytes: [bytesBefore, bytes],
		};
		if (bytes > bytesBefore) this.#grown = keep(this.#grown, change, growthOf);
		else if (entries < entriesBefore && reclaimableBytes > 0) {
			this.#emptied = keep(this.#emptied, { ...change, reclaimable_bytes: reclaimableBytes }, reclaimableOf);
		}
	}

	result(): DiffRecord {
		const changed = [...this.#groups.values()]
			.filter(({ maps, bytes }) => maps[0] !== maps[1] || bytes[0] !== bytes[1])
			.sort((a, b) => Math.abs(b.bytes[1] - b.bytes[0]) - Math.abs(a.bytes[1] - a.bytes[0]));
		const minutes = this.#seconds / 60;
		const groups = changed.slice(0, MAX_GROUPS).map(({ type, holder, maps, bytes, stayed }): MapGroupChange => {
			return {
				type,
				...(holder === undefined ? {} : { holder }),
				maps,
				bytes,
				per_minute: Math.round((maps[1] - maps[0]) / minutes),
				bytes_per_minute: Math.round((bytes[1] - bytes[0]) / minutes),
				only_grows: maps[1] > maps[0] && stayed === maps[0],
			};
		});
		const maps = [
			...keep(this.#grown, undefined, growthOf).slice(0, MAX_MAPS),
			...keep(this.#emptied, undefined, reclaimableOf).slice(0, MAX_MAPS),
		];
		return { type: "maps-diff", pid: this.#before.pid, seconds: this.#seconds, groups, maps };
	}

	#groupOf(type: string, holder: HolderRecord | undefined): number {
		const key = `${type}\0${holder?.path ?? ""}`;
		const known = this.#groups.get(key);
		if (known !== undefined) return this.#groupNumbers.get(known) ?? 0;
		const state: GroupState = { type, holder, maps: [0, 0], bytes: [0, 0], stayed: 0 };
		this.#groups.set(key, state);
		this.#groupNumbers.set(state, this.#numbers.length);
		return this.#numbers.push(state) - 1;
	}

	#grow(): void {
		this.#capacity *= 2;
		const wider = <T extends Float64Array | Int32Array>(old: T, fresh: T): T => {
			fresh.set(old);
			return fresh;
		};
		this.#addresses = wider(this.#addresses, new Float64Array(this.#capacity));
		this.#entries = wider(this.#entries, new Float64Array(this.#capacity));
		this.#bytes = wider(this.#bytes, new Float64Array(this.#capacity));
		this.#group = wider(this.#group, new Int32Array(this.#capacity));
	}

	#index(): void {
		let size = 16;
		while (size < this.#count * 2) size *= 2;
		this.#slots = new Int32Array(size);
		for (let i = 0; i < this.#count; i++) {
			let slot = hash(this.#addresses[i] as number) & (size - 1);
			while (this.#slots[slot] !== 0) slot = (slot + 1) & (size - 1);
			this.#slots[slot] = i + 1;
		}
	}

	#find(address: number): number {
		const mask = this.#slots.length - 1;
		for (let slot = hash(address) & mask; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
			const number = (this.#slots[slot] as number) - 1;
			if (this.#addresses[number] === address) return number;
		}
		return -1;
	}
}

function hash(address: number): number {
	const mixed = Math.imul((address / 16) | 0, 0x9e3779b1);
	return (mixed ^ (mixed >>> 15)) >>> 0;
}

const growthOf = ({ bytes }: MapChange): number => bytes[1] - bytes[0];
const reclaimableOf = ({ reclaimable_bytes }: MapChange): number => reclaimable_bytes ?? 0;

/** Keeps the largest; in order when nothing is added. */
function keep(list: MapChange[], change: MapChange | undefined, key: (change: MapChange) => number): MapChange[] {
	if (change !== undefined) list.push(change);
	if (change !== undefined && list.length < 4 * MAX_MAPS) return list;
	return list.sort((a, b) => key(b) - key(a)).slice(0, MAX_MAPS);
}
