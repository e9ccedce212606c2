/** Which types lead to maps, and which of their fields: the others need not be followed. */
import { KIND, type TypeDescriptor, type TypeTable } from "./type-table.ts";

/** What a value holds at an offset that leads to maps. */
export interface Slot {
	offset: number;
	kind: "pointer" | "slice" | "map" | "chan" | "array" | "overflow";
	/** Number of the type pointed to, of the map, or of an array's elements. */
	type: number;
	/** Of an array. */
	length: number;
	/** Bytes of an array's element. */
	size: number;
}

export interface GraphType {
	readonly descriptor: TypeDescriptor;
	/** Number of a map's bucket or group type; -1 for others. */
	readonly group: number;
	leadsToMaps: boolean;
	slots: readonly Slot[] | undefined;
}

/** Slots of one type: of a bucket of eight arrays of structs, for instance. Longer arrays are one slot. */
const MAX_SLOTS = 256;
const MAX_DEPTH = 40;

export class TypeGraph {
	readonly types: readonly GraphType[];
	readonly #numbers = new Map<number, number>();
	readonly #groups: ReadonlySet<number>;
	/** Buckets whose last word leads to an overflow bucket. */
	readonly #chained = new Set<number>();
	readonly #table: TypeTable;

	constructor(table: TypeTable, classic: boolean) {
		this.#table = table;
		const descriptors = [...table.all()];
		descriptors.forEach((descriptor, number) => {
			this.#numbers.set(descriptor.address, number);
		});
		this.types = descriptors.map((descriptor) => {
			const group = descriptor.kind === KIND.map ? this.numberOf(descriptor.group) : -1;
			return { descriptor, group, leadsToMaps: descriptor.kind === KIND.map, slots: undefined };
		});
		this.#groups = new Set(this.types.map(({ group }) => group).filter((group) => group >= 0));
		if (classic) this.#findChained();
		this.#spread();
	}

	/** Whether it is the bucket or group type of a map type. */
	isGroup(number: number): boolean {
		return this.#groups.has(number);
	}

	/** -1 for what is no descriptor of the program. */
	numberOf(address: number): number {
		return this.#numbers.get(address) ?? -1;
	}

	#findChained(): void {
		for (const group of this.#groups) {
			const bucket = this.types[group]?.descriptor;
			if (bucket !== undefined && bucket.size > 8 && bucket.pointerBytes === bucket.size) this.#chained.add(group);
		}
	}

	/** Types that the values of a type hold or point to. */
	#parts({ kind, elem, fields, group }: TypeDescriptor): readonly number[] {
		if (kind === KIND.struct) return fields.map(({ type }) => type);
		return kind === KIND.map ? [group] : elem === 0 ? [] : [elem];
	}

	#spread(): void {
		const users = new Map<number, number[]>();
		this.types.forEach(({ descriptor }, number) => {
			for (const part of this.#parts(descriptor)) {
				const list = users.get(part);
				if (list === undefined) users.set(part, [number]);
				else list.push(number);
			}
		});
		const todo = this.types.filter(({ leadsToMaps }) => leadsToMaps).map(({ descriptor }) => descriptor.address);
		for (let address = todo.pop(); address !== undefined; address = todo.pop()) {
			for (const user of users.get(address) ?? []) {
				const type = this.types[user];
				if (type === undefined || type.leadsToMaps) continue;
				type.leadsToMaps = true;
				todo.push(type.descriptor.address);
			}
		}
	}

	/** What of a value of this type leads to maps. */
	slotsOf(number: number): readonly Slot[] {
		const type = this.types[number];
		if (type === undefined) return [];
		if (type.slots === undefined) {
			const slots: Slot[] = [];
			this.#collect(type.descriptor, 0, slots, 0);
			if (this.#chained.has(number) && type.leadsToMaps) {
				slots.push({ offset: type.descriptor.size - 8, kind: "overflow", type: number, length: 0, size: 0 });
			}
			type.slots = slots;
		}
		return type.slots;
	}

	#leads(address: number): boolean {
		return this.types[this.numberOf(address)]?.leadsToMaps === true;
	}

	#collect(type: TypeDescriptor, offset: number, slots: Slot[], depth: number): void {
		if (!this.#leads(type.address) || depth > MAX_DEPTH || slots.length >= MAX_SLOTS) return;
		const add = (kind: Slot["kind"], target: number, length = 0, size = 0): void => {
			slots.push({ offset, kind, type: this.numberOf(target), length, size });
		};
		switch (type.kind) {
			case KIND.map:
				add("map", type.address);
				break;
			case KIND.pointer:
				add("pointer", type.elem);
				break;
			case KIND.slice:
				add("slice", type.elem);
				break;
			case KIND.chan:
				add("chan", type.elem);
				break;
			case KIND.array:
				this.#collectArray(type, offset, slots, depth, add);
				break;
			case KIND.struct: {
				const target = this.#atomicTarget(type);
				if (target !== undefined) add("pointer", target);
				else {
					for (const field of type.fields) {
						const inner = this.#table.get(field.type);
						if (inner !== undefined) this.#collect(inner, offset + field.offset, slots, depth + 1);
					}
				}
			}
		}
	}

	#collectArray(
		type: TypeDescriptor,
		offset: number,
		slots: Slot[],
		depth: number,
		add: (kind: "array", target: number, length: number, size: number) => void,
	): void {
		const elem = this.#table.get(type.elem);
		if (elem === undefined || elem.size === 0) return;
		if (type.length > 8) {
			add("array", type.elem, type.length, elem.size);
			return;
		}
		for (let i = 0; i < type.length; i++) this.#collect(elem, offset + i * elem.size, slots, depth + 1);
	}

	/** atomic.Pointer[T] is struct { _ [0]*T; _ noCopy; v unsafe.Pointer }: its first field is the only trace of T. */
	#atomicTarget({ size, fields }: TypeDescriptor): number | undefined {
		const first = size === 8 && fields.length >= 2 ? this.#table.get(fields[0]?.type ?? 0) : undefined;
		if (first === undefined || first.kind !== KIND.array || first.length !== 0) return undefined;
		const pointer = this.#table.get(first.elem);
		return pointer?.kind === KIND.pointer ? pointer.elem : undefined;
	}
}
