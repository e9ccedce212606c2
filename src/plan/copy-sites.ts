/**
 * Where the passages through inlined copies of growth functions are seen. The compiler copies hot functions into
 * their callers when a program is built with a profile (-pgo, which is on by default since Go 1.21): the function's
 * own probe then sees nothing of these calls.
 */
import type { GoBinary } from "../gobin/go-binary.ts";
import type { CodeRange, InlinedCopy } from "../gobin/pclntab/inlined-copies.ts";
import type { MapFunction, Role, Tier } from "../gomap/functions.ts";
import { argumentSlots } from "../isa/amd64/argument-slots.ts";
import { isRegisterMove } from "../isa/amd64/moves.ts";
import { passedOnce } from "./copy-flow.ts";
import type { FunctionCode } from "./function-code.ts";

export interface CopySite {
	offset: number;
	role: Role;
	tier: Tier;
	mapAt?: number | "unknown";
	reason: string;
}

const MAP = "internal/runtime/maps.(*Map)";

/** The argument of the functions that use one map which is the address of its header; others are not looked at. */
function mapArgument(outer: string): number | undefined {
	if (/^(runtime|reflect)\.(map(assign|delete)|growWork)/.test(outer)) return 1;
	if (/^runtime\.reflect_map(assign|delete)/.test(outer)) return 1;
	if (outer.startsWith(`${MAP}.`)) return 0;
	return /\.\(\*table\)\.(PutSlot|rehash)$/.test(outer) ? 2 : undefined;
}

/** In ranges of ascending order. */
const covers = (ranges: readonly CodeRange[], offset: number): boolean =>
	ranges.some(({ start, end }) => offset >= start && offset < end);

/** The sites, of which each passage passes exactly one, or why there are none. */
export function copySites(
	binary: GoBinary,
	copy: InlinedCopy,
	wanted: MapFunction,
	code: FunctionCode,
): CopySite[] | string {
	const other = code.otherUseOfG();
	if (other !== undefined) return `the goroutine's register is written at +0x${other.toString(16)}`;
	const chosen = new CopyCode(binary, copy, code).callSites(wanted);
	if (chosen !== undefined) return chosen;
	const site = passedOnce({
		graph: code.graph,
		isCopy: (offset) => covers(copy.all, offset),
		isMove: (offset) => isRegisterMove(code.encodingAt(offset)),
		canBeSite: (offset) => code.graph.nodes.get(offset)?.instruction.emulated === true && code.hasOwnFrame(offset),
	});
	if (typeof site === "string") return site;
	const reason = "inlined: control passes it once on each way through the copy, and the kernel emulates it";
	return [
		{
			offset: site,
			role: "count",
			tier: wanted.tier,
			...(wanted.tier === "growth" ? { mapAt: "unknown" } : {}),
			reason,
		},
	];
}

/** What the source of a growth function (runtime/map.go, maps/table.go) says of the calls in its body. */
class CopyCode {
	readonly #binary: GoBinary;
	readonly #copy: InlinedCopy;
	readonly #code: FunctionCode;

	constructor(binary: GoBinary, copy: InlinedCopy, code: FunctionCode) {
		this.#binary = binary;
		this.#copy = copy;
		this.#code = code;
	}

	/**
	 * Calls of which each passage makes exactly one, with the arguments that it needs; undefined when there are
	 * none.
	 */
	callSites({ role }: MapFunction): CopySite[] | undefined {
		switch (role) {
			case "hashGrow":
				// makeBucketArray(t, b, dirtyalloc), once.
				return this.#withMap(this.#calls(/^runtime\.makeBucketArray$/), "hashGrow");
			case "growToTable":
				// newTable(typ, capacity, index, localDepth), once.
				return this.#withMap(this.#calls(/\.newTable$/), "growToTable");
			case "rehash":
				return this.#rehash();
			case "growWork": {
				// evacuate(t, h, oldbucket), then perhaps once more.
				const first = this.#firstLine(this.#calls(/^runtime\.evacuate/));
				return sites(first, "growWork", "work", "the first call of evacuate");
			}
			case "grow":
				return sites(this.#calls(/\.newTable$/), "growWork", "work", "the only call of newTable");
			case "split":
				return sites(this.#firstLine(this.#calls(/\.newTable$/)), "growWork", "work", "the first call of newTable");
			default:
				return undefined;
		}
	}

	/** Either grow(t, typ, m, newCapacity) or split(t, typ, m): as long as both are called, all is there. */
	#rehash(): CopySite[] | undefined {
		const grow = this.#calls(/\.\(\*table\)\.grow$/);
		const split = this.#calls(/\.\(\*table\)\.split$/);
		if (grow.length === 0 || split.length === 0) return undefined;
		return sites([...grow, ...split], "rehash", "growth", "the call of grow or split, with the arguments of rehash");
	}

	/** With the map's header where that is known for certain; else counted by the map's type alone. */
	#withMap(calls: readonly number[], role: Role): CopySite[] | undefined {
		const argument = mapArgument(this.#copy.outer.name);
		const code = this.#code;
		const slots =
			argument === undefined
				? undefined
				: argumentSlots(
						{
							graph: code.graph,
							encodingAt: (offset) => code.encodingAt(offset),
							stackPointerAt: (offset) => code.stackPointerAt(offset),
							framePointerAt: (offset) => code.framePointerAt(offset),
							writes: (offset) => code.writes(offset),
						},
						argument,
						calls,
					);
		const why = "the call that each passage makes once";
		const withSlots = calls.flatMap((offset) => {
			const mapAt = slots?.get(offset);
			return mapAt === undefined ? [] : [{ offset, mapAt }];
		});
		if (withSlots.length < calls.length) {
			return sites(calls, role, "growth", why)?.map((site) => ({ ...site, mapAt: "unknown" }));
		}
		const all = sites(calls, role, "growth", `${why}, with the map's address on the stack`);
		return all?.map((site, index) => ({ ...site, mapAt: withSlots[index]?.mapAt ?? 0 }));
	}

	/** Calls in the body of the copied function itself. */
	#calls(callee: RegExp): number[] {
		const found: number[] = [];
		for (const [offset, { instruction }] of this.#code.graph.nodes) {
			const { flow, target } = instruction;
			if (flow !== "call" || target === undefined || !covers(this.#copy.own, offset)) continue;
			if (!instruction.emulated || !this.#code.hasOwnFrame(offset)) continue;
			if (callee.test(this.#code.calleeAt(target) ?? "")) found.push(offset);
		}
		return found;
	}

	/** Those of the lowest line of the copied function. */
	#firstLine(calls: readonly number[]): number[] {
		const lines = calls.map((offset) => {
			const frames = this.#binary.symbolize(this.#copy.outer.entry + offset);
			return frames.find(({ fn }) => fn === this.#copy.fn)?.line ?? Number.NaN;
		});
		const first = Math.min(...lines);
		return calls.filter((_, index) => lines[index] === first);
	}
}

function sites(calls: readonly number[], role: Role, tier: Tier, why: string): CopySite[] | undefined {
	if (calls.length === 0) return undefined;
	return calls.map((offset) => ({ offset, role, tier, reason: `inlined: ${why}; the kernel emulates it` }));
}
