/** Lines, progress and summary of an observation, side by side, on outputs of plain values. */
import { describe, expect, test } from "bun:test";
import type { Sink, TextOutput } from "../../../src/observe/sink.ts";
import { LineSink } from "../../../src/report/line-sink.ts";
import { ProgressSink } from "../../../src/report/progress-sink.ts";
import { SummarySink } from "../../../src/report/summary-sink.ts";
import { Plain, StateSink } from "../observe/plain.ts";

/** What was written, by the moment of the flush; a reader that does not read leaves it waiting. */
class Output implements TextOutput {
	readonly written: string[] = [];
	#waiting = "";
	reads = true;
	readonly closed = false;
	readonly failure = undefined;

	get queued(): number {
		return this.#waiting.length;
	}
	write(text: string): void {
		this.#waiting += text;
	}
	flush(): void {
		if (!this.reads || this.#waiting === "") return;
		this.written.push(this.#waiting);
		this.#waiting = "";
	}
	get text(): string {
		return this.written.join("");
	}
}

async function observed(...sinks: Sink[]): Promise<Plain> {
	const plain = new Plain();
	plain.clock.every(100, 10, 2000, () => plain.tracer.grow(1));
	await plain.observe(sinks, { durationMs: 2500 });
	return plain;
}

describe("lines", () => {
	test("are one a window, and the summary follows the last one on the same output", async () => {
		const out = new Output();
		await observed(new LineSink(out), new SummarySink(out));
		const lines = out.text.trimEnd().split("\n");
		expect(lines.slice(0, 3).map((line) => / growth=(\d+)\/s /.exec(line)?.[1])).toEqual(["10", "10", "0"]);
		expect(lines[3]).toContain("20 growths of 1 map type at 1 call site");
	});

	test("do not hold up the ring, and are left out when nobody reads them", async () => {
		const out = new Output();
		const sink = new LineSink(out);
		out.reads = false;
		out.write("x".repeat((1 << 20) + 1));
		const { queued } = out;
		expect(sink.reader.ready).toBe(true);
		sink.window({} as never, {} as never);
		expect(out.queued).toBe(queued);
		expect(sink.reader.queued).toBe(queued);
	});
});

describe("progress", () => {
	const FILE = { path: "run.ndjson", bytes: 4096 };

	test("is a line that is redrawn, and cleared before the summary", async () => {
		const out = new Output();
		await observed(new ProgressSink(FILE, out, () => 80), new SummarySink(out));
		const [first, second, ...rest] = out.text.split("\r\u001b[K").filter((part) => part !== "");
		expect(first).toContain("run.ndjson");
		expect(first).toContain("10");
		expect(second).toContain("20");
		expect(rest.at(-1)).toMatch(/^2\.50 s · 20 growths/);
	});

	test("is not there without a terminal", async () => {
		const out = new Output();
		await observed(new ProgressSink(FILE, out, () => undefined));
		expect(out.text).toBe("");
	});
});

describe("the summary", () => {
	test("comes once, at the end", async () => {
		const out = new Output();
		const plain = await observed(new SummarySink(out));
		expect(out.written).toHaveLength(1);
		expect(out.text).toContain("20 growths");
		expect(plain.clock.ms).toBe(2500);
	});
});

test("none of them asks for the view of all tables", async () => {
	const out = new Output();
	const sinks = [new LineSink(out), new ProgressSink({ path: "f", bytes: 0 }, out, () => 80), new SummarySink(out)];
	const asked = new StateSink();
	const guard: Sink = {
		write: () => {},
		window: (_, state) => {
			Object.defineProperty(state, "view", {
				get: () => {
					throw new Error("the view was computed");
				},
			});
		},
		flush: () => {},
		close: () => {},
	};
	await observed(guard, ...sinks, asked);
	expect(() => asked.states[0]?.view).toThrow("the view was computed");
});
