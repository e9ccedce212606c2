/** `gomapgrow advise`: which lines should make their maps otherwise, from recordings or from a running process. */
import { existsSync } from "node:fs";
import { Adviser } from "../advise/advise.ts";
import { checkPromises, checkText, verdictOf } from "../advise/check.ts";
import { type SourceLine, sourceLine } from "../advise/edit.ts";
import { githubAnnotations } from "../advise/github.ts";
import { isPatchable, type PatchedFile, unifiedDiff } from "../advise/patch.ts";
import type { Advice, AdviceRecord } from "../advise/record.ts";
import { adviceMarkdown, adviceText } from "../advise/text.ts";
import { EXIT, GomapgrowError } from "../errors/error.ts";
import { RecordingSink } from "../export/recording-sink.ts";
import { sanitize } from "../lib/sanitize.ts";
import { neverBehind, type Sink } from "../observe/sink.ts";
import { readRecordings } from "../recording/read.ts";
import { openRecordFile } from "../recording/write.ts";
import type { AdviseOptions } from "./advise-options.ts";
import type { LiveSinks } from "./choose-sinks.ts";
import { type SourceFile, SourceFiles } from "./source-files.ts";
import { watchWith } from "./watch.ts";
import { writeAll } from "./write-all.ts";

/** Prints the advice. Returns the exit code. Throws E-USAGE, E-IO, E-RECORD-…, and what `watch` throws. */
export async function advise(
	operands: readonly string[],
	options: AdviseOptions,
	command: readonly string[],
): Promise<number> {
	if (options.check) return await check(operands);
	const [first] = operands;
	if (first === undefined) {
		throw new GomapgrowError("E-USAGE", {
			wanted: "recordings, or one process",
			found: "neither",
			mend: "gomapgrow record 4711 --makes -o run.ndjson.gz --duration 1m && gomapgrow advise run.ndjson.gz",
		});
	}
	const live =
		operands.length === 1 && first !== "-" && (/^\d+$/.test(first) || !existsSync(first) || options.observing);
	const { adviser, notes } = live ? await observed(first, options, command) : await recorded(operands);
	if (!adviser.hasMakes) throw withoutMakes(operands);
	const record = adviser.result();
	print({ ...record, notes: [...notes, ...record.notes] }, modulesOf(adviser), options);
	return EXIT.done;
}

function withoutMakes(operands: readonly string[]): GomapgrowError {
	return new GomapgrowError("E-USAGE", {
		wanted: "a recording that says where maps are made",
		found: `none in ${operands.join(", ")}: it was recorded without --makes, or its end is missing`,
		mend: "gomapgrow record 4711 --makes -o run.ndjson.gz --duration 1m",
	});
}

interface Collected {
	adviser: Adviser;
	notes: string[];
}

async function recorded(paths: readonly string[]): Promise<Collected> {
	const adviser = new Adviser();
	const { notes } = await readRecordings(paths, (record) => adviser.add(record));
	return { adviser, notes };
}

async function observed(target: string, { live }: AdviseOptions, command: readonly string[]): Promise<Collected> {
	const adviser = new Adviser();
	const sink: Sink = {
		write: (record) => adviser.add(record),
		flush: () => {},
		close: () => {},
		reader: neverBehind({ queued: 0, closed: false, failure: undefined }),
	};
	const sinks = (): LiveSinks => ({
		sinks: [...(live.output === undefined ? [] : [new RecordingSink(openRecordFile(live.output))]), sink],
	});
	if (process.stderr.isTTY) process.stderr.write(`observing for ${(live.durationMs ?? 0) / 1000} s …\n`);
	await watchWith([target], live, command, sinks);
	return { adviser, notes: [] };
}

/** Main modules of the sites, by the name of the file. */
function modulesOf({ sites }: Adviser): ReadonlyMap<string, string> {
	return new Map(
		sites.flatMap(({ at, mainModule }) =>
			at.file === undefined || mainModule === undefined ? [] : [[at.file, mainModule] as const],
		),
	);
}

/** The sources of the lines, as far as they are here. */
class Sources {
	readonly files: SourceFiles;
	readonly #modules: ReadonlyMap<string, string>;

	constructor(folder: string, modules: ReadonlyMap<string, string>) {
		this.files = new SourceFiles(folder);
		this.#modules = modules;
	}

	file({ make_at }: Advice): SourceFile | string {
		if (make_at.file === undefined) return "its file is not known";
		return this.files.find(make_at.file, this.#modules.get(make_at.file));
	}

	line(advice: Advice): { file: SourceFile; line: SourceLine } | string {
		const file = this.file(advice);
		if (typeof file === "string") return file;
		const line = sourceLine(file, advice);
		return typeof line === "string" ? line : { file, line };
	}
}

function print(record: AdviceRecord, modules: ReadonlyMap<string, string>, options: AdviseOptions): void {
	if (options.format === "json") {
		writeAll(1, `${JSON.stringify(record)}\n`);
		return;
	}
	if (options.format === "markdown") {
		writeAll(1, adviceMarkdown(record));
		return;
	}
	const sources = new Sources(options.source ?? process.cwd(), modules);
	if (options.format === "patch") patch(record, sources);
	else if (options.format === "github") {
		const path = (advice: Advice): string | undefined => {
			const file = sources.file(advice);
			return typeof file === "string" ? undefined : file.path;
		};
		writeAll(1, githubAnnotations(record, process.env.GITHUB_WORKSPACE ?? sources.files.folder, path));
	} else {
		const shown = (advice: Advice): string[] => sourceText(sources, advice, options.source !== undefined);
		writeAll(1, `${adviceText(record, options.rows, shown)}\n`);
	}
}

/** The line below its advice; `asked`: also why it is not there. */
function sourceText(sources: Sources, advice: Advice, asked: boolean): string[] {
	const found = sources.line(advice);
	if (typeof found === "string") return asked ? [`(no source: ${sanitize(found)})`] : [];
	return [`${found.line.line}: ${sanitize(found.line.text.trim())}`];
}

/** The diff goes to standard output; what is not in it, to standard error. */
function patch({ advice }: AdviceRecord, sources: Sources): void {
	const edits = new Map<string, { file: SourceFile; edits: Map<number, string> }>();
	const left: string[] = [];
	for (const item of advice) {
		if (item.kind === "leave") continue;
		const place = `${sanitize(item.make_at.file ?? item.make_at.fn)}:${item.make_at.line ?? "?"}`;
		const found = sources.line(item);
		if (typeof found === "string") left.push(`${place}: ${sanitize(found)}`);
		else if (found.line.edited === undefined) left.push(`${place}: ${sanitize(found.line.because ?? "")}`);
		else if (!isPatchable(found.file.relative)) left.push(`${place}: its path cannot stand in a patch`);
		else {
			const entry = edits.get(found.file.relative) ?? { file: found.file, edits: new Map<number, string>() };
			edits.set(found.file.relative, entry);
			if (entry.edits.has(found.line.line)) left.push(`${place}: another advice edits the line`);
			else entry.edits.set(found.line.line, found.line.edited);
		}
	}
	const files = [...edits].map(
		([path, { file, edits: lines }]): PatchedFile => ({ path, text: file.text, edits: lines }),
	);
	writeAll(1, unifiedDiff(files));
	writeAll(2, left.map((line) => `not in the patch: ${line}\n`).join(""));
}

/** `--check BEFORE AFTER`. */
async function check(operands: readonly string[]): Promise<number> {
	const [before, after, ...more] = operands;
	if (before === undefined || after === undefined || more.length > 0) {
		throw new GomapgrowError("E-USAGE", {
			wanted: "two recordings after --check: before and after the change",
			found: `${operands.length}`,
			mend: "gomapgrow advise --check before.ndjson.gz after.ndjson.gz",
		});
	}
	const [first, second] = [await recorded([before]), await recorded([after])];
	for (const [{ adviser }, path] of [[first, before] as const, [second, after] as const]) {
		if (!adviser.hasMakes) throw withoutMakes([path]);
	}
	const checked = checkPromises(first.adviser, second.adviser);
	writeAll(1, checkText(checked));
	for (const note of [...first.notes, ...second.notes]) writeAll(2, `missing: ${note}\n`);
	const verdict = verdictOf(checked);
	if (verdict === "cannot judge") writeAll(2, "gomapgrow: no promise could be judged\n");
	return verdict === "kept" ? EXIT.done : verdict === "not kept" ? EXIT.check : EXIT.failed;
}
