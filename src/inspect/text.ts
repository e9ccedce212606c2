/** An inspection as text for people, for a terminal of 80 columns. Names that cannot be broken may stick out. */
import picocolors from "picocolors";
import { shortFunction } from "../text/go-names.ts";
import { formatCount, plural } from "../text/units.ts";
import { displayWidth } from "../text/width.ts";
import { labelled, wrap } from "../text/wrap.ts";
import { exitsText } from "./exits-text.ts";
import type { InspectedCopy, InspectedFunction, Inspection } from "./record.ts";

const WIDTH = 80;
const LABEL = 13;

const MAX_BRIEF = 10;

/** What matters first, in ten lines at most, ending in a line feed. */
export function briefText(inspection: Inspection, color: boolean): string {
	const colors = picocolors.createColors(color);
	const { functions, notes } = inspection;
	const probed = functions.filter(({ tier }) => tier !== "iteration");
	const names = probed.map(({ name }) => shortFunction(name).replace(/^.*\./, ""));
	const process = inspection.pid === undefined ? undefined : processText(inspection);
	const lines = [
		...verdictLines(inspection, colors),
		...row("process", process),
		...row("go", goText(inspection)),
		...row("file", fileText(inspection)),
		...row("module", moduleText(inspection)?.split(", ")[0]),
		...(names.length === 0 ? [] : row("probes", `${formatCount(names.length)}: ${names.join(", ")}`)).slice(0, 2),
	].slice(0, MAX_BRIEF - 1);
	const more = `-v shows sites, ends of calls and layouts${notes.length === 0 ? "" : `, and ${plural(notes.length, "note")}`}`;
	return `${[...lines, colors.dim(`  ${more}`)].map((line) => line.trimEnd()).join("\n")}\n`;
}

function row(label: string, text: string | undefined): string[] {
	return text === undefined || text === "" ? [] : labelled(`  ${label}`, LABEL, text, WIDTH);
}

/** The file, and what can be done with it. */
function verdictLines(inspection: Inspection, colors: ReturnType<typeof picocolors.createColors>): string[] {
	const mark = inspection.watchable ? colors.green : colors.red;
	return [
		`${colors.bold(inspection.exe)}${inspection.exe_deleted ? " (deleted or replaced since)" : ""}`,
		...row("verdict", inspection.verdict).map((line) => `${line.slice(0, LABEL)}${mark(line.slice(LABEL))}`),
		...(inspection.error?.mend === undefined ? [] : row("mend", inspection.error.mend)),
	];
}

/** The whole text, ending in a line feed. */
export function inspectText(inspection: Inspection, color: boolean): string {
	const colors = picocolors.createColors(color);
	const head = (title: string): string => colors.bold(title);
	const process = inspection.pid === undefined ? undefined : processText(inspection);
	const sections: string[][] = [
		[
			...verdictLines(inspection, colors),
			...row("process", process),
			...row("go", goText(inspection)),
			...row("file", fileText(inspection)),
			...row("module", moduleText(inspection)),
			...row("revision", revisionText(inspection)),
			...row("build id", inspection.build_id ?? inspection.gnu_build_id),
			...row("settings", settingsText(inspection)),
		],
		functionsText(inspection, head, colors.dim),
		exitsText(inspection.functions, head, WIDTH),
		list("inlined copies", inspection.copies.map(copyText), head),
		list("not there", inspection.functions_absent.map(absentText), head),
		list(
			"called from C",
			inspection.cgo_exports.map(({ name, fn, address }) => `${name}: ${fn} at ${address}`),
			head,
		),
		layoutsText(inspection, head),
		list("notes", inspection.notes, head),
	];
	const parts = sections.filter((lines) => lines.length > 0).map((lines) => lines.map((line) => line.trimEnd()));
	return `${parts.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function list(title: string, items: readonly string[], head: (title: string) => string): string[] {
	return items.length === 0 ? [] : [head(title), ...items.flatMap((item) => labelled("  -", 4, item, WIDTH))];
}

function copyText({ name, inlined_into, address, sites, reason }: InspectedCopy): string {
	const places = sites.map(({ address: at, instruction }) => {
		return `+0x${(Number.parseInt(at, 16) - Number.parseInt(address, 16)).toString(16)} ${instruction}`;
	});
	const where = reason === undefined ? `seen at ${places.join(", ")}` : `not seen: ${reason}`;
	return `${shortFunction(name)} in ${shortFunction(inlined_into)}: ${where}`;
}

function absentText({ name, reason }: { name: string; reason: string }): string {
	return `${shortFunction(name)}: ${reason}`;
}

function processText({ pid, load_bias }: Inspection): string {
	return load_bias === undefined ? `${pid}` : `${pid}, load bias ${load_bias}`;
}

function goText(inspection: Inspection): string {
	const { go_version, map_impl, arch, os, optimized, inlining, packages, flagged, error } = inspection;
	const maps =
		map_impl !== undefined ? `${map_impl} maps` : /^E-BIN-GO-/.test(error?.code ?? "") ? [] : "no maps that can grow";
	const flags = [...(optimized === false ? ["-N"] : []), ...(inlining === false ? ["-l"] : [])].join(" ");
	const partly =
		packages === undefined
			? flagged !== undefined
			: Math.max(packages.unoptimized, packages.uninlined) < packages.total;
	const compiled =
		optimized === undefined ? [] : flags === "" ? "optimised" : `${partly ? "partly " : ""}compiled with ${flags}`;
	return [`${go_version}${versionNote(inspection)}`, maps, `${os}/${arch}`, compiled].flat().join(", ");
}

/** Where the version is from, when it is not from the build information. */
function versionNote({ go_version_from, go_candidates }: Inspection): string {
	switch (go_version_from) {
		case "build-info":
			return "";
		case "build-version":
			return " (by runtime.buildVersion: no build information)";
		case "dwarf":
			return " (by DWARF: no build information)";
		case "tables":
			return ` (no build information; ${(go_candidates ?? []).join(" or ")} by its tables and code)`;
	}
}

function fileText({ stripped, pie, static: isStatic, cgo, dwarf_version }: Inspection): string {
	return [
		pie ? "position-independent" : "fixed address",
		isStatic ? "static" : "dynamic",
		...(cgo === undefined ? [] : [cgo ? "cgo" : "no cgo"]),
		stripped ? "stripped" : "with symbol table",
		dwarf_version === undefined ? "no DWARF" : `DWARF ${dwarf_version}`,
	].join(", ");
}

function moduleText({ module, main_package, dependencies }: Inspection): string | undefined {
	if (module === undefined) return main_package;
	const main = main_package === undefined || main_package === module.path ? [] : [`main package ${main_package}`];
	const version = module.version === undefined || module.version === "(devel)" ? "" : ` ${module.version}`;
	const others = dependencies === 1 ? "1 dependency" : `${formatCount(dependencies)} dependencies`;
	return [`${module.path}${version}`, ...main, ...(dependencies === 0 ? [] : [others])].join(", ");
}

function revisionText({ vcs }: Inspection): string | undefined {
	if (vcs === undefined) return undefined;
	const head = vcs.system === undefined ? vcs.revision : `${vcs.system} ${vcs.revision}`;
	return [head, ...(vcs.time === undefined ? [] : [vcs.time]), ...(vcs.modified ? ["modified"] : [])].join(", ");
}

/** What goes without saying, or is said elsewhere. */
const QUIET_SETTING = /^(-compiler|GOOS|GOARCH|GOAMD64|GOARM64|DefaultGODEBUG|vcs|vcs\..*|CGO_C.*|CGO_LDFLAGS)$/;

function settingsText({ build_settings }: Inspection): string {
	return Object.entries(build_settings)
		.filter(([key]) => !QUIET_SETTING.test(key))
		.map(([key, value]) => `${key}=${/[\s"]/.test(value) ? JSON.stringify(value) : value}`)
		.join(" ");
}

function functionsText(
	inspection: Inspection,
	head: (title: string) => string,
	dim: (text: string) => string,
): string[] {
	const { functions } = inspection;
	if (functions.length === 0) return [];
	const rows = functions.map((fn) => [
		shortFunction(fn.name),
		fn.tier,
		fn.address,
		fn.file_offset === undefined ? "-" : `0x${fn.file_offset.toString(16)}`,
		fn.site === undefined ? "none" : siteText(fn),
		fn.site === undefined ? "" : fn.site.cost,
	]);
	const titles = ["functions", "tier", "address", "offset", "probe site", "cost"];
	const widths = titles.map((title, column) =>
		Math.max(...rows.map((cells) => displayWidth(cells[column] ?? "")), title.length - (column === 0 ? 2 : 0)),
	);
	const line = (cells: readonly string[], indent: string, extra: number): string =>
		indent + cells.map((cell, column) => cell.padEnd((widths[column] ?? 0) + (column === 0 ? extra : 0))).join("  ");
	const reasons = [...new Set(functions.map(({ site, reason }) => site?.reason ?? reason ?? ""))];
	const why = reasons.map((reason) => {
		const named = functions.filter(({ site, reason: own }) => (site?.reason ?? own ?? "") === reason);
		return reasons.length === 1 ? reason : `${named.map(({ name }) => shortFunction(name)).join(", ")}: ${reason}`;
	});
	return [
		head(line(titles, "", 2).trimEnd()),
		...rows.map((cells) => line(cells, "  ", 0).trimEnd()),
		...why.flatMap((text) => wrap(text, WIDTH - 2)).map((text) => `  ${dim(text)}`),
	];
}

function siteText({ address, site }: InspectedFunction): string {
	if (site === undefined) return "";
	const distance = Number.parseInt(site.address, 16) - Number.parseInt(address, 16);
	return `+0x${distance.toString(16)} ${site.instruction}`;
}

function layoutsText({ layouts, layout_notes }: Inspection, head: (title: string) => string): string[] {
	const byStruct = new Map<string, string[]>();
	for (const [name, { offset, from }] of Object.entries(layouts)) {
		const end = name.indexOf(".", name.lastIndexOf("/") + 1);
		const field = name.indexOf(".", end + 1);
		const key = `${name.slice(0, field)} (${from})`;
		byStruct.set(key, [...(byStruct.get(key) ?? []), `${name.slice(field + 1)} ${offset}`]);
	}
	const lines = [...byStruct].flatMap(([struct, fields]) => [
		`  ${struct}`,
		...wrap(fields.join(", "), WIDTH - 4).map((line) => `    ${line}`),
	]);
	const notes = layout_notes.flatMap((note) => wrap(note, WIDTH - 2)).map((line) => `  ${line}`);
	return lines.length + notes.length === 0 ? [] : [head("layouts"), ...notes, ...lines];
}
