/** The Go processes of the host as a table. */
import { containerText } from "../text/container-text.ts";
import { type TableColumn, textTable } from "../text/text-table.ts";
import { formatShare, NOT_MEASURED } from "../text/units.ts";
import { labelled } from "../text/wrap.ts";
import type { ProgramRecord } from "./record.ts";

/** Processes that are named for one reason. */
const MAX_NAMED = 5;
const LABEL = 13;

function processorUse({ cpu_ns_per_second: used }: ProgramRecord): string {
	return used === undefined ? NOT_MEASURED : formatShare(used, 1e9);
}

/** A process that cannot be watched, and why. */
export type Unwatchable = Pick<ProgramRecord, "pid" | "name" | "why">;

/** "4711 shop, 4712 shop and 3 more". */
export function namedPrograms(programs: readonly Pick<ProgramRecord, "pid" | "name">[]): string {
	const names = programs.slice(0, MAX_NAMED).map(({ pid, name }) => `${pid} ${name}`);
	const more = programs.length - names.length;
	return `${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** A sentence for each reason for which programs cannot be watched. */
export function unwatchableText(programs: readonly Unwatchable[]): string[] {
	const byReason = new Map<string, Unwatchable[]>();
	for (const program of programs) {
		if (program.why === undefined) continue;
		byReason.set(program.why, [...(byReason.get(program.why) ?? []), program]);
	}
	return [...byReason].map(([why, of]) => `${namedPrograms(of)}: ${why}`);
}

/** Those that use most processor time come first. */
function busiestFirst(programs: readonly ProgramRecord[]): ProgramRecord[] {
	const use = ({ cpu_ns_per_second: used = 0 }: ProgramRecord): number => used;
	return [...programs].sort((a, b) => use(b) - use(a) || a.pid - b.pid);
}

/** Lines of at most `columns`, where that is possible. */
export function programsText(programs: readonly ProgramRecord[], columns: number): string[] {
	const rows = busiestFirst(programs);
	const column = (heading: string, kind: TableColumn["kind"], cell: (row: ProgramRecord) => string): TableColumn => ({
		...{ heading, kind },
		cells: rows.map(cell),
	});
	const contained = rows.some(({ container }) => container !== undefined);
	const table = textTable(
		[
			column("PID", "number", ({ pid }) => `${pid}`),
			column("CPU", "number", processorUse),
			column("NAME", "text", ({ name }) => name),
			...(contained
				? [
						column("CONTAINER", "text", ({ container }) =>
							container === undefined ? NOT_MEASURED : containerText(container),
						),
					]
				: []),
			column("GO", "text", ({ go_version }) => go_version ?? NOT_MEASURED),
			column("MAPS", "text", ({ map_impl }) => map_impl ?? NOT_MEASURED),
			column("WATCH", "text", ({ watchable }) => (watchable ? "yes" : "no")),
			column("EXECUTABLE", "text", ({ exe }) => exe),
		],
		columns,
	);
	const notes = unwatchableText(rows).flatMap((text) => labelled("not watchable", LABEL + 2, text, columns));
	return notes.length === 0 ? table : [...table, "", ...notes];
}
