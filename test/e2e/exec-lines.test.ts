/** What is remembered of a program's code ends with the program: behind execve the same addresses have other lines. */
import { describe, expect } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { openGoBinary } from "../../src/gobin/go-binary.ts";
import { amountOf } from "../../src/records/figure.ts";
import type { GrowthRecord, TargetRecord } from "../../src/records/records.ts";
import { missingForTracing, testWith } from "../support/capability.ts";
import { fileSource, goTool } from "../support/go-binaries.ts";
import { type Program, start, temporaryFolder } from "../support/processes.ts";
import { parseRecords, startGomapgrow, toTrace } from "../support/trace.ts";

const tracingTest = testWith(missingForTracing());
const folder = temporaryFolder("exec-lines");
const SOURCE = readFileSync(resolve(import.meta.dir, "../programs/relay/main.go"), "utf8");
const BEFORE_FUNCTIONS = "var sink";
const MOVED_BY = 500;

/** Builds relay from other sources, in a folder of this name. */
function buildRelay(version: string, name: string, source: string, flags: string[] = []): string {
	const path = join(folder, version, name, "main.go");
	mkdirSync(dirname(path), { recursive: true });
	writeFileSync(path, source);
	const output = join(dirname(path), "relay");
	goTool(version, ["build", "-o", output, ...flags, path]);
	return output;
}

/** With so many lines more before its functions. */
function relayWith(version: string, lines: number): string {
	const source = SOURCE.replace(BEFORE_FUNCTIONS, `${"// moved\n".repeat(lines)}${BEFORE_FUNCTIONS}`);
	return buildRelay(version, String(lines).padStart(3, "0"), source);
}

/** Its main goroutine stays on the first thread: the kernel keeps probes across execve for that one only. */
function relayOnFirstThread(version: string): string {
	const source = SOURCE.replace('"os"', '"os"; "runtime"').replace(
		BEFORE_FUNCTIONS,
		`func init() { runtime.LockOSThread() }; ${BEFORE_FUNCTIONS}`,
	);
	return buildRelay(version, "locked", source, ["-buildmode=pie"]);
}

/** Line of the source with this text, from 1 on. */
function lineOf(text: string): number {
	const line = SOURCE.split("\n").findIndex((each) => each.includes(text)) + 1;
	if (line === 0) throw new Error(`no ${text} in relay`);
	return line;
}

function entryOf(path: string, fn: string): number | undefined {
	return openGoBinary(fileSource(path)).functionsByName([fn]).get(fn)?.entry;
}

async function targetRecord(observer: Program, nth: number): Promise<TargetRecord> {
	return await observer.until(`target record ${nth}`, () =>
		parseRecords(observer.stdout.slice(0, observer.stdout.lastIndexOf("\n") + 1))
			.filter((record): record is TargetRecord => record.type === "target")
			.at(nth),
	);
}

async function answerTo(program: Program, line: string): Promise<void> {
	const before = program.stdout.length;
	program.writeLine(line);
	await program.until("answer", () => (program.stdout.length > before ? true : undefined));
}

/** The lines of the program in the stacks of its growths, without repetitions. */
function linesIn(growths: readonly GrowthRecord[]): string[] {
	const own = growths.map(({ stack }) => stack.filter(({ fn }) => fn.startsWith("main.")));
	return [...new Set(own.map((frames) => frames.map(({ fn, line }) => `${fn}:${line}`).join(" ")))];
}

describe("the same code, moved by 500 lines, in the place of a program", () => {
	for (const [version, growths] of [
		["1.23", 9],
		["1.27", 10],
	] as const) {
		tracingTest(`Go ${version}`, async () => {
			const [first, second] = [relayWith(version, 0), relayWith(version, MOVED_BY)];
			expect(entryOf(second, "main.growInt")).toBe(entryOf(first, "main.growInt"));
			expect(entryOf(second, "main.main")).toBe(entryOf(first, "main.main"));
			const program = start([first], { stdin: "pipe" });
			const observer = startGomapgrow(["watch", "--json", "--interval", "100ms", String(program.pid)]);
			await targetRecord(observer, 0);
			await answerTo(program, "");
			program.writeLine(second);
			await targetRecord(observer, 1);
			await answerTo(program, "");
			program.closeInput();
			const trace = toTrace(observer, await observer.finish());
			const grown = trace.growths.filter(({ stack }) => stack.some(({ fn }) => fn === "main.growInt"));
			expect(grown).toHaveLength(2 * growths);
			const [assign, call] = [lineOf("sink[i] = i"), lineOf("growInt(2000)")];
			const lines = (by: number) => [`main.growInt:${assign + by} main.main:${call + by}`];
			expect(linesIn(grown.slice(0, growths))).toEqual(lines(0));
			expect(linesIn(grown.slice(growths))).toEqual(lines(MOVED_BY));
			// Those of the work tier come from the kernel's table. Swiss maps do all of it inside of a growth.
			const sites = trace.windows.flatMap(({ sites }) => sites.filter(({ fn }) => fn === "main.growInt"));
			expect(new Set(sites.map(({ line }) => line))).toEqual(new Set([assign, assign + MOVED_BY]));
			expect(sites.some(({ work }) => amountOf(work) > 0)).toBe(true);
			expect(trace.end.complete).toBe(true);
		});
	}
});

tracingTest("a position-independent program that executes its own file again has its code elsewhere", async () => {
	const path = relayOnFirstThread("1.23");
	const program = start([path], { stdin: "pipe" });
	const observer = startGomapgrow(["watch", "--json", "--interval", "100ms", String(program.pid)]);
	await targetRecord(observer, 0);
	await answerTo(program, "");
	const firstMapping = () =>
		new RegExp(`.* ${path}$`, "m").exec(readFileSync(`/proc/${program.pid}/maps`, "utf8"))?.[0];
	const before = firstMapping();
	program.writeLine(path);
	await program.until("other addresses", () => ([before, undefined].includes(firstMapping()) ? undefined : true));
	await answerTo(program, "");
	program.closeInput();
	const trace = toTrace(observer, await observer.finish());
	const grown = trace.growths.filter(({ stack }) => stack.some(({ fn }) => fn === "main.growInt"));
	expect(grown).toHaveLength(18);
	expect(linesIn(grown)).toEqual([`main.growInt:${lineOf("sink[i] = i")} main.main:${lineOf("growInt(2000)")}`]);
	expect(grown.map(({ nth }) => nth)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});
