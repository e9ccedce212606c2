/** Records as NDJSON and in a file, and the flame graph beside them. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FlameSink } from "../../../src/export/flame-sink.ts";
import { NdjsonSink } from "../../../src/export/ndjson-sink.ts";
import { NewFile } from "../../../src/export/new-file.ts";
import { RecordingSink } from "../../../src/export/recording-sink.ts";
import type { TextOutput } from "../../../src/observe/sink.ts";
import { openRecordFile } from "../../../src/recording/write.ts";
import { temporaryFolder } from "../../support/processes.ts";
import { MemorySink, Plain } from "../observe/plain.ts";

const folder = temporaryFolder("sinks");

/** Its reader takes nothing. */
function stalledOutput(): TextOutput & { text: string } {
	return {
		text: "",
		write(text) {
			this.text += text;
		},
		get queued() {
			return this.text.length;
		},
		...{ flush: () => {}, closed: false, failure: undefined },
	};
}

test("standard output, the file and the flame graph are written side by side", async () => {
	const [path, svg] = [join(folder, "run.ndjson"), join(folder, "run.svg")];
	const plain = new Plain();
	const memory = new MemorySink();
	const texts: string[] = [];
	const out = { write: (text: string) => texts.push(text), flush() {}, queued: 0, closed: false, failure: undefined };
	plain.clock.every(100, 10, 1000, () => plain.tracer.grow(1));
	const flame = new FlameSink(new NewFile(svg), "growths");
	const recording = new RecordingSink(openRecordFile(path));
	await plain.observe([recording, flame, new NdjsonSink(out), memory], { durationMs: 1500 });
	const file = readFileSync(path, "utf8");
	expect(file).toBe(texts.join(""));
	expect(
		file
			.trimEnd()
			.split("\n")
			.map((line) => JSON.parse(line)),
	).toEqual(memory.records);
	expect(memory.of("growth")).toHaveLength(10);
	expect(readFileSync(svg, "utf8")).toContain("main.a");
});

describe("a reader of standard output", () => {
	test("is behind above a megabyte, not before", () => {
		const out = stalledOutput();
		const { reader } = new NdjsonSink(out);
		expect(reader).toMatchObject({ ready: true, queued: 0 });
		out.write("x".repeat((1 << 20) - 1));
		expect(reader.ready).toBe(true);
		out.write("x");
		expect(reader).toMatchObject({ ready: false, queued: 1 << 20 });
	});
});

test("a flame graph that cannot be written is a failure, and nobody waits for it", async () => {
	const plain = new Plain();
	plain.clock.at(10, () => plain.tracer.grow(1));
	const flame = new FlameSink(new NewFile("/dev/full"), "growths");
	const error: unknown = await plain.observe([flame], { durationMs: 100 }).catch((reason: unknown) => reason);
	expect(error).toMatchObject({ code: "E-IO", found: "ENOSPC writing /dev/full" });
	expect(plain.clock.ms).toBe(100);
});
