/** The end of an observation, whatever ended it: in which order, and with whose patience. */
import { describe, expect, test } from "bun:test";
import { GomapgrowError } from "../../../src/errors/error.ts";
import type { EndReason } from "../../../src/records/records.ts";
import { MemorySink, NO_CHANGE, PipeSink, Plain } from "./plain.ts";

/** Probes out, then the ring, then the counters, then the last records, then everything closed. */
const ORDER = [
	"detach",
	"drain",
	"flush",
	"final counters",
	...["one: window", "two: window", "one: end", "two: end"],
	...["two: close", "one: close"],
];

/** Ends an observation in the middle of growths; returns what was done from the end on, and when. */
async function ended(cause: (plain: Plain, pipe: PipeSink) => void, durationMs?: number) {
	const plain = new Plain();
	const [one, two] = [new MemorySink(plain.log, "one"), new PipeSink(1000, 1000, plain.log, "two")];
	plain.clock.every(7, 1, 400, () => plain.tracer.grow(1));
	plain.clock.at(396, () => plain.tracer.growForever(1));
	cause(plain, two);
	const reason = await plain.observe([one, two], { durationMs });
	return { reason, steps: plain.log.slice(plain.log.indexOf("detach")), sink: one, plain };
}

describe("the order is the same", () => {
	const causes: [EndReason, (plain: Plain, pipe: PipeSink) => void, number?][] = [
		["duration", () => {}, 400],
		["interrupt", ({ clock, stop }) => clock.at(400, () => stop.request("interrupt"))],
		["terminate", ({ clock, stop }) => clock.at(400, () => stop.request("terminate"))],
		["pipe-closed", ({ clock }, pipe) => clock.at(400, () => pipe.leave())],
		[
			"target-exit",
			(plain) =>
				plain.clock.at(399, () => {
					plain.changes = { ...NO_CHANGE, over: true };
				}),
		],
	];
	for (const [reason, cause, durationMs] of causes) {
		test(`after ${reason}`, async () => {
			const { steps, sink, ...end } = await ended(cause, durationMs);
			expect(end.reason).toBe(reason);
			expect(steps).toEqual(ORDER);
			// 57 growths, and one that has not returned.
			expect(sink.end).toMatchObject({ reason, growths: 58, complete: true });
			expect(sink.records.at(-1)).toBe(sink.end);
			expect(end.plain.tracer.closed).toBe(1);
		});
	}

	test("and a stop wakes the loop at once; the first reason stays", async () => {
		const plain = new Plain();
		const sink = new MemorySink();
		plain.clock.at(1012, () => {
			plain.stop.request("interrupt");
			plain.stop.request("terminate");
		});
		expect(await plain.observe([sink])).toBe("interrupt");
		expect(sink.end.elapsed_ns).toBe(1.012e9);
	});

	test("an error detaches and closes as well", async () => {
		const plain = new Plain();
		const sink = new MemorySink();
		plain.tracer.readCounters = () => {
			throw new Error("a map cannot be read");
		};
		await expect(plain.observe([sink])).rejects.toThrow("a map cannot be read");
		expect([plain.tracer.closed, sink.closes]).toEqual([1, 1]);
	});
});

/** An observation whose reader has stopped reading with growths in the ring; `cause` ends it after 500 ms. */
async function stalled(reason: "interrupt" | "duration", again?: { afterMs: number; takes: number }) {
	const plain = new Plain();
	const pipe = new PipeSink(5, 0);
	plain.clock.every(10, 5, 500, () => plain.tracer.grow(1));
	plain.clock.at(500, () => {
		if (reason === "interrupt") plain.stop.request("interrupt");
	});
	if (again !== undefined) {
		plain.clock.at(500 + again.afterMs, () => {
			pipe.takes = again.takes;
		});
	}
	let failure: unknown;
	try {
		await plain.observe([pipe], { durationMs: reason === "duration" ? 500 : undefined });
	} catch (error) {
		failure = error;
	}
	return { plain, pipe, failure, tookMs: plain.clock.ms - 500 };
}

function expectLost({ pipe, plain, failure }: Awaited<ReturnType<typeof stalled>>): void {
	const { ledger, complete } = pipe.end;
	expect(ledger.growth).toMatchObject({ hits: 50, recorded: pipe.of("growth").length });
	expect(ledger.growth.recorded + ledger.growth.lost).toBe(50);
	expect(ledger.growth.lost).toBeGreaterThan(30);
	expect(complete).toBe(false);
	expect(plain.log).toContain("discard");
	if (!(failure instanceof GomapgrowError)) throw new Error(`no error: ${failure}`);
	expect([failure.code, failure.found]).toEqual(["E-IO", "a reader that does not read"]);
	expect([pipe.closes, plain.tracer.closed]).toEqual([1, 1]);
}

describe("a reader that has stopped reading", () => {
	test("is waited for as long as a user has patience, and what is left is counted as lost", async () => {
		const end = await stalled("interrupt");
		expectLost(end);
		// A quarter of a second for the ring, half a second for the end record.
		expect(end.tookMs).toBeGreaterThanOrEqual(500);
		expect(end.tookMs).toBeLessThan(800);
	});

	test("has three seconds when nobody waits, twice", async () => {
		const end = await stalled("duration");
		expectLost(end);
		expect(end.tookMs).toBeGreaterThanOrEqual(3000);
		expect(end.tookMs).toBeLessThan(6100);
	});

	test("loses nothing when it reads on in time, however slowly", async () => {
		const { pipe, plain, failure, tookMs } = await stalled("duration", { afterMs: 2500, takes: 1 });
		expect(failure).toBeUndefined();
		expect(pipe.end).toMatchObject({ growths: 50, complete: true });
		expect(plain.log).not.toContain("discard");
		expect(pipe.reader.queued).toBe(0);
		expect(tookMs).toBeGreaterThan(2500);
	});

	test("that goes away is not waited for", async () => {
		const plain = new Plain();
		const pipe = new PipeSink(5, 0);
		plain.clock.at(500, () => pipe.leave());
		expect(await plain.observe([pipe])).toBe("pipe-closed");
		expect(plain.clock.ms).toBeLessThan(510);
	});
});

test("an output that could not be written is an error at the end, and the other sinks have everything", async () => {
	const plain = new Plain();
	const [file, sink] = [new PipeSink(1000, 1000), new MemorySink()];
	plain.clock.at(300, () => file.leave("ENOSPC writing run.ndjson"));
	await expect(plain.observe([file, sink])).rejects.toMatchObject({ code: "E-IO", found: "ENOSPC writing run.ndjson" });
	expect(sink.end.reason).toBe("pipe-closed");
	expect([file.closes, sink.closes]).toEqual([1, 1]);
});
