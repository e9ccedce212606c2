/** Rows of makes as a recording has them, made from the sizes of pretended maps: growths by the rules of Go's sources, entry by entry. */
import type { MakeRow } from "../../../src/records/makes.ts";
import type { TargetRecord } from "../../../src/records/records.ts";

export interface Pretended {
	impl: "classic" | "swiss";
	/** [entries, maps] */
	sizes: readonly (readonly [number, number])[];
	hint?: number;
	storage: number;
	pointers: boolean;
	/** Of maps of each size, this part has an unknown size. */
	unknown?: number;
	line?: number;
	on?: "heap" | "stack";
	type?: string;
}

/** xorshift32, as hashes. */
let state = 2463534242;
function random(): number {
	state ^= state << 13;
	state ^= state >>> 17;
	state ^= state << 5;
	return (state >>> 0) / 2 ** 32;
}

/** Growths of one map, by slots of what grew. */
function growthsOf(impl: Pretended["impl"], hint: number, entries: number): number[] {
	const growths: number[] = [];
	if (impl === "classic") {
		let b = 0;
		const over = (count: number): boolean => count > 8 && count > 13 * Math.floor(2 ** b / 2);
		while (over(hint)) b++;
		for (let count = 0; count < entries; count++) if (over(count + 1)) growths.push(8 * 2 ** b++);
		return growths;
	}
	if (hint <= 8 && entries <= 8) return [];
	let tables: { used: number; slots: number; from: number; to: number }[] = [];
	if (hint > 8) {
		const target = Math.floor((hint * 8) / 7);
		let count = 1;
		while (count * 1024 < target) count *= 2;
		let slots = 8;
		while (slots < Math.floor(target / count)) slots *= 2;
		tables = Array.from({ length: count }, (_, index) => ({
			used: 0,
			slots,
			from: index / count,
			to: (index + 1) / count,
		}));
	} else {
		growths.push(8);
		tables = [{ used: 8, slots: 16, from: 0, to: 1 }];
	}
	for (let count = hint > 8 ? 0 : 8; count < entries; count++) {
		const at = random();
		for (;;) {
			const table = tables.find(({ from, to }) => at >= from && at < to);
			if (table === undefined) throw new Error("no table");
			if (table.used < (table.slots * 7) / 8) {
				table.used++;
				break;
			}
			growths.push(table.slots);
			if (table.slots < 1024) table.slots *= 2;
			else {
				const middle = (table.from + table.to) / 2;
				let left = 0;
				for (let entry = 0; entry < table.used; entry++) if (random() < 0.5) left++;
				tables.push({ used: table.used - left, slots: 1024, from: middle, to: table.to });
				[table.used, table.to] = [left, middle];
			}
		}
	}
	return growths;
}

export function pretendedRow(maps: Pretended): MakeRow {
	const { impl, sizes, hint = 0, storage, pointers, unknown = 0, line = 14, on = "heap", type = "map[int]int" } = maps;
	const classes = new Map<number, number>();
	const known: [number, number][] = [];
	let [seen, grew, open] = [0, 0, 0];
	for (const [entries, count] of sizes) {
		// A swiss map with several tables grows by chance: a few stand for all.
		const tried = impl === "swiss" && entries > 896 ? 8 : 1;
		for (let i = 0; i < tried; i++) {
			for (const slots of growthsOf(impl, hint, entries)) classes.set(slots, (classes.get(slots) ?? 0) + count / tried);
		}
		if (growthsOf(impl, hint, entries).length > 0) grew += count;
		const left = Math.round(count * unknown);
		seen += count;
		open += left;
		if (count > left) known.push([entries, count - left]);
	}
	const growth_classes = [...classes]
		.map(([slots, count]) => [slots, Math.round(count)])
		.sort(([a = 0], [b = 0]) => a - b);
	return {
		...{ pid: 7, map_type: type, storage_bytes: storage, has_pointers: pointers },
		...{ made_at: { fn: "main.newIndex", file: "/src/prog.go", line }, on, made: seen, seen },
		...{ hints: [[hint, seen]], sizes: known.sort(([a], [b]) => a - b), unknown: open, grew },
		...{ growths: growth_classes.reduce((sum, [, count = 0]) => sum + count, 0), growth_classes },
		grows_at: [{ fn: "main.(*index).fill", file: "/src/prog.go", line: 19, growths: grew }],
	};
}

export function pretendedTarget(impl: "classic" | "swiss"): TargetRecord {
	return {
		...{ type: "target", time: "2026-11-30T12:00:00.000Z", pid: 7, name: "prog", exe: "/src/prog", arch: "amd64" },
		...{ go_version: impl === "classic" ? "go1.23.4" : "go1.27.0", map_impl: impl, pie: false, stripped: false },
		...{ probes: [], not_probed: [] },
	};
}
