/** Recordings from files, whole and damaged in every way. */
import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { GomapgrowError } from "../../../src/errors/error.ts";
import { type ReadResult, readRecordings } from "../../../src/recording/read.ts";
import { readLines } from "../../../src/recording/read-lines.ts";
import { amountOf } from "../../../src/records/figure.ts";
import type { GomapgrowRecord, LossRecord } from "../../../src/records/records.ts";
import { latencyRow } from "../../../src/stats/latency.ts";
import { temporaryFolder } from "../../support/processes.ts";
import { syntheticRecording } from "../../support/synthetic-recording.ts";

const folder = temporaryFolder("recordings");
let files = 0;

function fileOf(content: string | Uint8Array): string {
	const path = join(folder, `${files++}.ndjson`);
	writeFileSync(path, content);
	return path;
}

async function read(...contents: (string | Uint8Array)[]): Promise<ReadResult> {
	return await readRecordings(contents.map(fileOf), () => {});
}

async function failure(content: string | Uint8Array): Promise<GomapgrowError> {
	try {
		await read(content);
	} catch (error) {
		if (error instanceof GomapgrowError) return error;
		throw error;
	}
	throw new Error("it was read");
}

/** Of a result with one file: the notes without its name. */
function notes(result: ReadResult): string[] {
	return result.notes.map((note) => note.slice(note.indexOf(": ") + 2));
}

const whole = syntheticRecording({ seed: 7, windows: 4, growthsPerWindow: 60 });
const other = syntheticRecording({ seed: 8, windows: 2, growthsPerWindow: 30, pid: 12 });

function sumsOf(result: ReadResult): object {
	const { growths, work, bytes, calls, types, sites, latency, goroutines } = result.merged.sums;
	return { growths, work, bytes, calls, types, sites, latency: latency.map(latencyRow), goroutines };
}

function expectedOf({ growths, work, bytes, calls, types, sites, latency, goroutines }: typeof whole.end): object {
	return { growths, work, bytes, calls, types, sites, latency, goroutines };
}

describe("a whole recording", () => {
	for (const [name, content] of [
		["plain", whole.text],
		["compressed", gzipSync(whole.text)],
		["compressed in many members", Buffer.concat(whole.lines.map((line) => gzipSync(line)))],
		["with empty lines and carriage returns", whole.text.replaceAll("\n", "\r\n\r\n")],
		["without the last line feed", whole.text.slice(0, -1)],
	] as const) {
		test(`${name} has the sums of its end record and nothing is missing`, async () => {
			const result = await read(content);
			expect(sumsOf(result)).toEqual(expectedOf(whole.end));
			expect(result.merged.ledger).toEqual(whole.end.ledger);
			expect(result.merged.elapsedNs).toBe(4e9);
			expect(result.notes).toEqual([]);
			expect(result.merged.recordings.map((recording) => recording.end)).toEqual([
				{ reason: "interrupt", complete: true },
			]);
		});
	}

	test("kinds, causes and the peak are those of its growths and windows", async () => {
		const { merged } = await read(whole.text);
		const count = (kind: string) =>
			whole.records.filter((record) => record.type === "growth" && record.kind === kind).length;
		expect(merged.sums.kinds).toEqual({ double: count("double"), "same-size": count("same-size") });
		expect(merged.sums.causes).toEqual({ load: count("double"), overflow: count("same-size") });
		expect(merged.recordings[0]?.peakRate).toBe(60);
		expect(merged.recordings[0]?.history).toEqual([60, 60, 60, 60]);
	});

	test("hands out every record but starts", async () => {
		const seen: GomapgrowRecord[] = [];
		await readRecordings([fileOf(whole.text)], (record) => seen.push(record));
		expect(seen.map((record) => JSON.stringify(record))).toEqual(whole.lines.slice(1).map((line) => line.trimEnd()));
	});
});

describe("a recording without its end", () => {
	const cut = whole.lines.slice(0, -1);

	test("has the same sums, from its records", async () => {
		const result = await read(cut.join(""));
		// Rows with equal counts may stand in another order, and maps are only in growths.
		const sorted = (rows: readonly object[]) => rows.map((row) => JSON.stringify(Object.entries(row).sort())).sort();
		const sums = { ...result.merged.sums, latency: result.merged.sums.latency.map(latencyRow) };
		for (const table of ["types", "sites", "latency", "goroutines"] as const) {
			expect(sorted(sums[table])).toEqual(sorted(whole.end[table]));
		}
		const { growths, work, bytes, calls } = result.merged.sums;
		expect({ growths, work, bytes, calls }).toEqual({
			growths: whole.end.growths,
			work: whole.end.work,
			bytes: whole.end.bytes,
			calls: whole.end.calls,
		});
		expect(result.merged.sums.maps.length).toBeGreaterThan(0);
		expect(notes(result)).toEqual([
			"its end is missing: growths are counted until 2026-01-31T12:00:04.000000000Z, growth work and durations until 2026-01-31T12:00:04.000000000Z",
		]);
	});

	test("cut anywhere: whole records are used, and what is cut off is said", async () => {
		const bytes = Buffer.from(whole.text);
		for (let length = 400; length < bytes.length; length += 7919) {
			const lines = bytes.subarray(0, length).toString().split("\n");
			const growths = lines.slice(0, -1).filter((line) => line.startsWith('{"type":"growth"')).length;
			const result = await read(bytes.subarray(0, length));
			expect(result.merged.sums.growths).toBe(growths);
			expect(notes(result)[0]).toStartWith("its end is missing");
			expect(notes(result).slice(1)).toEqual(
				lines.at(-1) === "" ? [] : ["1 record at the end of a recording is cut off"],
			);
		}
	});

	test("compressed and cut anywhere: what can be expanded is used", async () => {
		for (const bytes of [gzipSync(whole.text), Buffer.concat(whole.lines.map((line) => gzipSync(line)))]) {
			for (const share of [0.2, 0.5, 0.9, 0.999]) {
				const result = await read(bytes.subarray(0, Math.floor(bytes.length * share)));
				expect(notes(result)).toContain("the compressed data are cut off: what came before was read");
				expect(amountOf(result.merged.sums.growths)).toBeLessThanOrEqual(whole.end.growths);
				if (share > 0.4) expect(amountOf(result.merged.sums.growths)).toBeGreaterThan(whole.end.growths * share * 0.5);
			}
		}
	});

	test("damaged compressed data: what came before is used", async () => {
		const bytes = Buffer.concat(whole.lines.map((line) => gzipSync(line)));
		const at = Math.floor(bytes.length * 0.7);
		bytes.writeUInt8(bytes.readUInt8(at) ^ 0xff, at);
		const result = await read(bytes);
		expect(notes(result)).toContain("the compressed data are damaged: what came before was read");
		expect(amountOf(result.merged.sums.growths)).toBeGreaterThan(whole.end.growths / 2);
	});
});

describe("several recordings", () => {
	test("in one file or in several are added up", async () => {
		const wanted = { growths: whole.end.growths + other.end.growths, work: whole.end.work + other.end.work };
		for (const contents of [
			[whole.text + other.text],
			[whole.text, gzipSync(other.text)],
			[Buffer.concat([gzipSync(whole.text), gzipSync(other.text)])],
		]) {
			const result = await read(...contents);
			expect(result.merged.sums).toMatchObject(wanted);
			expect(result.merged.count).toBe(2);
			expect(result.notes).toEqual([]);
			expect(result.merged.elapsedNs).toBe(6e9);
			expect(result.merged.ledger?.work.hits).toBe(wanted.work);
			expect(result.merged.sums.types.reduce((sum, row) => sum + amountOf(row.growths), 0)).toBe(wanted.growths);
			expect(result.merged.sums.sites.reduce((sum, row) => sum + amountOf(row.work), 0)).toBe(wanted.work);
			expect(result.merged.sums.latency[0]?.durations.count).toBe(wanted.growths);
			expect(result.merged.sums.calls["runtime.hashGrow"]).toBe(wanted.growths);
			expect(result.merged.sums.sites.length).toBe(
				new Set(result.merged.sums.sites.map((row) => row.fn + row.map_type)).size,
			);
		}
	});

	test("with losses: all of them are added up, by stage and tier", async () => {
		const loss = (total: number, more: Partial<LossRecord> = {}): string =>
			`${JSON.stringify({
				...{ type: "loss", time: whole.end.time, stage: "ring", tier: "growth", lost: 1, total, hint: "read faster" },
				...more,
			})}\n`;
		const withLosses = ({ text }: typeof whole, ...losses: string[]): string =>
			text.replace('{"type":"end"', `${losses.join("")}{"type":"end"`);
		const first = withLosses(whole, loss(3), loss(5), loss(2, { stage: "unreadable" }));
		const second = withLosses(other, loss(7), loss(4, { tier: "sample" }));
		const sums = [
			["ring", "growth", 12],
			["unreadable", "growth", 2],
			["ring", "sample", 4],
		];
		for (const contents of [[first, second], [first + second]]) {
			const { losses } = (await read(...contents)).merged;
			expect(losses.map(({ stage, tier, total }) => [stage, tier, total] as (string | number)[])).toEqual(sums);
		}
		const { merged } = await read(first);
		expect(merged.losses.map(({ total }) => total)).toEqual([5, 2]);
		// Whatever words a recording uses, its losses take no more room.
		const odd = Array.from({ length: 5000 }, (_, i) => loss(1, { hint: `${i}` }).replace('"ring"', `"ring${i}"`));
		const some = (await read(withLosses(whole, ...odd), withLosses(other, ...odd))).merged.losses.length;
		expect(some).toBeGreaterThan(0);
		expect(some).toBeLessThanOrEqual(64);
	});

	test("of which the first was cut off inside of a record", async () => {
		const last = whole.lines.findLastIndex((line) => line.startsWith('{"type":"growth"'));
		const cut = whole.lines.slice(0, last).join("") + (whole.lines[last] ?? "").slice(0, 300);
		const result = await read(cut + other.text);
		expect(result.merged.count).toBe(2);
		expect(result.merged.sums.growths).toBe(whole.end.growths - 1 + other.end.growths);
		expect(notes(result)).toEqual([
			expect.stringMatching(/^recording 1: its end is missing/) as unknown as string,
			"1 record at the end of a recording is cut off",
		]);
	});

	test("records after an end are a recording without a beginning", async () => {
		const result = await read(whole.text + other.lines.slice(1).join(""));
		expect(result.merged.count).toBe(2);
		expect(notes(result)).toEqual(["recording 2: its beginning is missing"]);
		expect(result.merged.sums.growths).toBe(whole.end.growths + other.end.growths);
	});

	test("very many take no more room than their sums", async () => {
		const small = syntheticRecording({ windows: 1, growthsPerWindow: 1, samples: 0 });
		const result = await read(small.text.repeat(3000));
		expect(result.merged.count).toBe(3000);
		expect(result.merged.recordings.length).toBe(1000);
		expect(result.merged.sums.growths).toBe(3000);
		expect(result.merged.sums.goroutines.length).toBeLessThanOrEqual(1000);
	});
});

describe("lines that are no records", () => {
	test("are left out, and the first one is told", async () => {
		const lines = [...whole.lines];
		lines.splice(20, 0, "not a record\n", '{"type":"growth","pid":1}\n');
		const result = await read(lines.join(""));
		expect(sumsOf(result)).toEqual(expectedOf(whole.end));
		expect(notes(result)).toEqual(["2 lines left out: line 21 is no JSON object"]);
	});

	test("a growth that is not there is missed", async () => {
		const lines = whole.lines.filter((_, index) => index !== 5);
		expect(notes(await read(lines.join("")))).toEqual([
			`of ${whole.end.growths} recorded growths only ${whole.end.growths - 1} are in the recording`,
		]);
	});

	test("types of records that are not known are left out, and said", async () => {
		const result = await read(whole.text.replace('{"type":"end"', '{"type":"later"}\n{"type":"end"'));
		expect(notes(result)).toEqual(["1 record of types that this version does not know left out"]);
		// Also the last one, without its line feed.
		expect(notes(await read(`${whole.text}{"type":"later"}`))).toEqual(notes(result));
		expect(sumsOf(result)).toEqual(expectedOf(whole.end));
	});

	test("zeros, as after a power failure, are a record that is cut off", async () => {
		const result = await read(Buffer.concat([Buffer.from(whole.text), Buffer.alloc(4096)]));
		expect(sumsOf(result)).toEqual(expectedOf(whole.end));
		expect(notes(result)).toEqual(["1 record at the end of a recording is cut off"]);
	});

	test("fields that are not known are ignored", async () => {
		const more = whole.lines.map((line) =>
			line.replace(/^\{("type":"[a-z]+"),/, '{$1,"added_later":{"stack":[{"fn":1}]},'),
		);
		expect(more[3]).toContain("added_later");
		const result = await read(more.join(""));
		expect(sumsOf(result)).toEqual(expectedOf(whole.end));
		expect(result.notes).toEqual([]);
	});
});

const EXECUTABLE = await Bun.file(process.execPath)
	.slice(0, 1 << 20)
	.bytes();

describe("what cannot be read", () => {
	test("a newer schema", async () => {
		const error = await failure(whole.text.replace('"schema":1', '"schema":2'));
		expect(error.code).toBe("E-RECORD-SCHEMA");
		expect(error.found).toMatch(/^version 2 in .*\.ndjson, line 1$/);
		expect(error.advice).toContain("gomapgrow 0.1.0");
		expect((await failure(gzipSync(whole.text + other.text.replace('"schema":1', '"schema":2')))).code).toBe(
			"E-RECORD-SCHEMA",
		);
	});
	for (const [name, content] of [
		["an empty file", ""],
		["text", "hello\nworld\n"],
		["text without a line feed", "hello"],
		["other JSON", '{"type":"message"}\n{"type":"message"}\n'],
		["much text", "hello\n".repeat(100_000)],
		["an executable", EXECUTABLE],
		["compressed text", gzipSync("hello\n".repeat(5000))],
		["two bytes of gzip", Uint8Array.of(0x1f, 0x8b)],
		["one byte", "x"],
	] as const) {
		test(`${name} is no recording`, async () => {
			const error = await failure(content);
			expect(error.code).toBe("E-RECORD-MALFORMED");
			expect(error.message.length).toBeLessThan(600);
		});
	}
	test("a file that is not there, a folder", async () => {
		for (const path of [join(folder, "none"), folder]) {
			const error: unknown = await readRecordings([path], () => {}).catch((thrown: unknown) => thrown);
			expect(error).toMatchObject({ code: "E-IO", wanted: `to read ${path}` });
		}
	});
});

describe("lines of a file", () => {
	test("that are longer than any record are left out", async () => {
		const seen: number[] = [];
		const path = fileOf(Buffer.concat([Buffer.from("a\n"), Buffer.alloc(70 << 20, "x"), Buffer.from("\nb\n")]));
		const faults = await readLines(path, (line) => seen.push(line.length));
		expect(seen).toEqual([1, 1]);
		expect(faults).toEqual({ tooLong: 1 });
	});
	test("may have characters of several bytes across the boundaries of chunks", async () => {
		const line = "倉庫".repeat(700_001);
		const seen: string[] = [];
		await readLines(fileOf(`${line}\n${line}\n`), (text) => seen.push(text));
		expect(seen.length).toBe(2);
		expect(seen.every((text) => text === line)).toBe(true);
	});
});
