/** Plans the probes of inlined copies of growth functions: they count with the function that they are copies of. */
import type { GoBinary } from "../gobin/go-binary.ts";
import type { InlinedCopy } from "../gobin/pclntab/inlined-copies.ts";
import { MAP_FUNCTIONS, type MapFunction } from "../gomap/functions.ts";
import { instructionText } from "../isa/amd64/text.ts";
import { ARCHITECTURES } from "./architecture.ts";
import { type CopySite, copySites } from "./copy-sites.ts";
import { FunctionCode } from "./function-code.ts";
import type { PlannedProbe } from "./probe-plan.ts";

/**
 * Functions that call growth functions, and can thus have copies of them: what the compiler puts in for an access or a
 * range is a call of these. Only iterations by reflect may have been copied further, into other packages; those are
 * not looked for.
 */
const OUTER_FUNCTIONS: readonly string[] = [
	...["runtime.map", "runtime.growWork", "runtime.evacuate", "runtime.reflect_map"],
	...["internal/runtime/maps.", "reflect."],
];

/** A copy of a function of interest, and how it is probed, or why not. */
export interface SurveyedCopy {
	wanted: MapFunction;
	copy: InlinedCopy;
	/** Each passage passes exactly one of their sites. */
	probes: PlannedProbe[] | string;
}

/**
 * Functions whose calls are iterations' steps as a whole: what is copied into them they do once in each call, with
 * arguments of theirs (runtime/map.go, reflect/map.go of Go 1.24 to 1.27). Their own beginning stands for the
 * copy's.
 */
const WHOLE: readonly { outer: RegExp; fn: RegExp; role: PlannedProbe["role"] }[] = [
	{ outer: /^(runtime|reflect)\.mapIterNext$/, fn: /\.\(\*Iter\)\.Next$/, role: "iterNext" },
	{ outer: /^(runtime|reflect)\.mapIterStart$/, fn: /\.\(\*Iter\)\.Init$/, role: "iterStart" },
	{ outer: /^(runtime\.reflect_|reflect\.)mapiternext$/, fn: /^runtime\.mapiternext$/, role: "iterNext" },
	{ outer: /^(runtime\.reflect_|reflect\.)mapiterinit$/, fn: /^runtime\.mapiterinit$/, role: "iterStart" },
];

/** What the copies' probes cannot tell: a sentence for each reason. */
export function copyLimits(probes: readonly PlannedProbe[]): string[] {
	const limits = new Map<string, Set<string>>();
	for (const { fn, role, tier, inlinedInto, mapAt } of probes) {
		if (inlinedInto === undefined) continue;
		const what = [...(role === "count" ? ["map type"] : []), ...(mapAt === "unknown" ? ["size and record"] : [])];
		const lacks =
			tier === "iteration"
				? role === "count"
					? "are counted, but without their maps"
					: undefined
				: what.length === 0
					? undefined
					: `are counted, but without ${what.join(" and ")}`;
		if (lacks === undefined) continue;
		limits.set(lacks, (limits.get(lacks) ?? new Set()).add(`${fn} in ${inlinedInto}`));
	}
	return [...limits].map(([lacks, copies]) => `calls of ${[...copies].join(", ")} (inlined) ${lacks}`);
}

/** All copies of the functions that matter for the map implementation of `binary`. */
export function surveyCopies(binary: GoBinary): SurveyedCopy[] {
	const functions = MAP_FUNCTIONS.filter(({ impl }) => impl === binary.mapImpl);
	const names = functions.map(({ fn }) => fn);
	const taken = new Set<number>();
	// Several copies are in one function.
	const codes = new Map<number, FunctionCode | string>();
	const codeOf = (entry: number, end: number): FunctionCode | string => {
		const known = codes.get(entry) ?? FunctionCode.read(binary, entry, end);
		codes.set(entry, known);
		return known;
	};
	const surveyed: SurveyedCopy[] = [];
	for (const copy of binary.inlinedCopies(names, OUTER_FUNCTIONS)) {
		const wanted = functions.find(({ fn }) => fn === copy.fn);
		if (wanted === undefined) continue;
		const probes = planCopy(binary, copy, wanted, codeOf);
		const clash = typeof probes !== "string" && probes.some(({ site }) => taken.has(site.address));
		if (typeof probes !== "string") for (const { site } of probes) taken.add(site.address);
		surveyed.push({ wanted, copy, probes: clash ? "another copy is seen at the same instruction" : probes });
	}
	return surveyed;
}

function planCopy(
	binary: GoBinary,
	copy: InlinedCopy,
	wanted: MapFunction,
	codeOf: (entry: number, end: number) => FunctionCode | string,
): PlannedProbe[] | string {
	const { outer, depth } = copy;
	const common = {
		...{ fn: wanted.fn, entry: outer.entry, inlinedInto: outer.name, exits: [] },
		exitsMissing: `the end of a copy that is inlined into ${outer.name} is not seen`,
		// As the function that called it in the source, whose frame it shares.
		callerDepth: Math.max(2, wanted.callerDepth - (depth - 1)),
	};
	const whole = WHOLE.find((row) => row.outer.test(outer.name) && row.fn.test(wanted.fn));
	if (whole !== undefined && depth === 1) {
		const site = beginning(binary, outer.entry, outer.end);
		if (site !== undefined) return [{ ...common, ...site, role: whole.role, tier: wanted.tier }];
	}
	if (binary.arch !== "amd64") return "copies are not looked into on arm64";
	const code = codeOf(outer.entry, outer.end);
	if (typeof code === "string") return code;
	const chosen = copySites(binary, copy, wanted, code);
	if (typeof chosen === "string") return chosen;
	return chosen.map((site) => ({ ...common, ...described(binary, code, site) }));
}

/** The stack check of the outer function. */
function beginning(
	binary: GoBinary,
	entry: number,
	end: number,
): Pick<PlannedProbe, "site" | "gRegister" | "argAbi"> | undefined {
	const architecture = ARCHITECTURES[binary.arch];
	const fileOffset = binary.fileOffset(entry);
	const code = binary.bytesAt(entry, Math.min(architecture.stackCheckBytes, end - entry));
	const check = architecture.findStackCheck(code, end - entry);
	if (check === undefined || check.fsOffset !== undefined || fileOffset === undefined) return undefined;
	return {
		site: {
			address: entry + check.branchOffset,
			fileOffset: fileOffset + check.branchOffset,
			instruction: `${architecture.branch} +0x${check.target.toString(16)}`,
			bytes: code.slice(check.branchOffset, check.branchOffset + check.branchLength),
			cost: "emulated",
			reason: "inlined into a function that does nothing else: the branch of that one's stack check",
		},
		gRegister: check.gRegister,
		argAbi: architecture.argAbi(binary.version, check),
	};
}

function described(
	binary: GoBinary,
	code: FunctionCode,
	{ offset, role, tier, mapAt, reason }: CopySite,
): Pick<PlannedProbe, "site" | "gRegister" | "argAbi" | "everyPass" | "role" | "tier" | "mapAt"> {
	const address = code.entry + offset;
	return {
		site: {
			address,
			// In the same segment as the instructions that were decoded.
			fileOffset: binary.fileOffset(address) ?? 0,
			instruction: instructionText(code.code, offset, (target) => code.calleeAt(target)),
			bytes: code.code.slice(offset, offset + (code.graph.nodes.get(offset)?.instruction.length ?? 0)),
			cost: "emulated",
			reason,
		},
		...{ gRegister: "r14", argAbi: "regs", everyPass: true, role, tier },
		...(mapAt === undefined ? {} : { mapAt }),
	};
}
