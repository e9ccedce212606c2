/** The sentences of `inspect` that explain: where layouts come from, and what the way of building means for a trace. */
import type { GomapgrowError } from "../errors/error.ts";
import type { Compilation } from "../gobin/buildinfo/compilation.ts";
import { nearestMinor, standingOf } from "../gobin/buildinfo/go-version.ts";
import type { GoBinary } from "../gobin/go-binary.ts";
import type { LayoutEntry } from "../gobin/layouts/report.ts";
import { sanitize } from "../lib/sanitize.ts";
import type { ProbePlan } from "../plan/probe-plan.ts";

/** Where the layouts come from and how far they agree. `damaged`: why the DWARF could not be used. */
export function layoutNotes(
	binary: GoBinary,
	layouts: readonly LayoutEntry[],
	damaged: GomapgrowError | undefined,
): string[] {
	const notes: string[] = [];
	const nearest = `Go 1.${nearestMinor(binary.version)}`;
	const known = standingOf(binary.version) === "known";
	const { kind, table: basis } = binary.basis;
	if (kind === "nearest") {
		const why = binary.version.candidates === undefined ? "this version is not known" : "no text has the version";
		notes.push(
			`${why}, and there is no DWARF: of the layouts of ${nearest} those are used that the program's own data confirm`,
		);
	} else if (kind === "table") {
		const origin =
			basis.release === undefined ? "the Go sources" : `the DWARF of a program built with ${basis.release}`;
		notes.push(`from the table, which was made from ${origin}`);
	} else {
		const same = known && layouts.every(({ differs }) => differs.length === 0);
		const table = known ? (same ? "; the table for its release says the same" : "") : ": this version is not known";
		notes.push(`from the program's own DWARF${table}`);
	}
	const confirmed = layouts.find(({ name, agrees }) => name === "runtime.g.goid" && agrees.includes("code"));
	if (confirmed !== undefined) notes.push(`${confirmed.name} is what ${SPELLED.code} loads, too`);
	if (damaged !== undefined) notes.push(damagedNote(damaged));
	const differing = layouts.filter(({ differs }) => differs.length > 0);
	if (differing.length > 0) notes.push("someone has changed this runtime, which calls itself a release");
	for (const { name, offset, from, differs } of differing) {
		for (const { witness, offset: other } of differs) {
			notes.push(`${name} is at ${offset} by ${SPELLED[from]}, but at ${other} by ${SPELLED[witness]}`);
		}
	}
	const mistaken = differing.filter(({ name, differs }) => {
		return !/^runtime\.[gm]\./.test(name) && differs.some(({ witness }) => witness === "table");
	});
	if (mistaken.length > 0)
		notes.push("watch goes by the table for maps and their types: do not trust its sizes and kinds");
	return notes;
}

export function damagedNote(damaged: GomapgrowError): string {
	return `its DWARF is damaged and was not used: wanted ${sanitize(damaged.wanted)}, found ${sanitize(damaged.found)}`;
}

const SPELLED = { dwarf: "DWARF", table: "the table", code: "the machine code of runtime.goroutineheader" } as const;

/** What a trace will show, and what it lacks. `plan`: absent when nothing can be watched. */
export function inspectionNotes(binary: GoBinary, compilation: Compilation, plan: ProbePlan | undefined): string[] {
	const notes = [compilationNote(compilation)];
	if (plan === undefined) return notes;
	notes.push(...(plan.limits ?? []));
	if (!binary.tellsInlinedCalls) {
		notes.push(
			"where its trees of inlined calls are is not known: functions with inlined calls are shown without lines",
		);
	}
	if (plan.probes.some(({ fsOffset }) => fsOffset !== undefined)) {
		notes.push("before Go 1.17 durations take a kernel that describes its own types (/sys/kernel/btf/vmlinux)");
	}
	if (plan.ownStackOnly === true) {
		notes.push(
			"stacks end where the goroutine's was copied: Go before 1.21 does not adjust frame pointers on arm64 then",
		);
	}
	if (plan.impl === "swiss") notes.push("swiss maps do not say whether they are being iterated");
	if (binary.cgo) {
		notes.push(
			binary.stripped
				? "cgo: stacks of calls from C end at the Go entry point; C functions have no names (stripped)"
				: "cgo: stacks of calls from C go as far as its frame pointers do",
		);
	}
	if (plan.goroutine !== undefined && !binary.mapTypesConfirmed) {
		notes.push("no map type was found in the executable: maps of types made at run time have no name");
	}
	return notes;
}

/** What optimisation means for the trace. The runtime is always optimised: -N does not apply to it (cmd/compile/internal/base/flag.go). */
function compilationNote({ optimized, inlining, packages, flagged }: Compilation): string {
	if (optimized === undefined || inlining === undefined) {
		return "optimised or not is not known (no DWARF, no build settings): the trace is right either way";
	}
	if (optimized && inlining) return "optimised: calls that the compiler inlined are shown as frames of their own";
	const flags = [...(optimized ? [] : ["-N"]), ...(inlining ? [] : ["-l"])].join(" ");
	const some =
		packages === undefined
			? flagged
			: `${Math.max(packages.unoptimized, packages.uninlined)} of ${packages.total} packages`;
	const share = some === undefined ? "" : ` (${some})`;
	const effect = inlining
		? "not optimised"
		: some === undefined
			? "nothing is inlined, so all frames are real calls"
			: "nothing in them is inlined, so their frames are real calls";
	return `built with ${flags}${share}: ${effect}; the runtime stays optimised, so sites and counts are the same, but the program is slower than in production`;
}
