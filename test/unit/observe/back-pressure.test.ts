/** Readers that are behind: the ring is left alone, what it cannot hold is counted, and one slow reader is enough. */
import { describe, expect, test } from "bun:test";
import { behindAbove, neverBehind } from "../../../src/observe/sink.ts";
import { combined, Sinks } from "../../../src/observe/sinks.ts";
import { MemorySink, PipeSink, Plain } from "./plain.ts";

const reader = (fields: Partial<Parameters<typeof combined>[0][number]> = {}) => ({
	...{ ready: true, queued: 0, closed: false, failure: undefined },
	...fields,
});

describe("several readers", () => {
	test("are as one: ready when all are, closed when one is", () => {
		expect(combined([])).toMatchObject(reader());
		expect(combined([reader({ queued: 3 }), reader({ queued: 4 })])).toMatchObject(reader({ queued: 7 }));
		expect(combined([reader(), reader({ ready: false })]).ready).toBe(false);
		expect(combined([reader({ closed: true }), reader()]).closed).toBe(true);
		expect(combined([reader(), reader({ failure: "ENOSPC" }), reader({ failure: "EIO" })]).failure).toBe("ENOSPC");
	});

	test("are asked again each time", () => {
		const output = { queued: 5, closed: false, failure: undefined as string | undefined };
		const both = combined([neverBehind(output), behindAbove(output, 8)]);
		expect(both).toMatchObject(reader({ queued: 10 }));
		Object.assign(output, { queued: 8, closed: true, failure: "EIO" });
		expect(both).toMatchObject(reader({ ready: false, queued: 16, closed: true, failure: "EIO" }));
		expect(neverBehind(output).ready).toBe(true);
	});

	test("only those sinks count that have one", () => {
		const pipe = new PipeSink(1, 0);
		const sinks = new Sinks([new MemorySink(), pipe]);
		expect(sinks.reader.ready).toBe(true);
		sinks.write({ type: "loss", time: "", stage: "ring", tier: "growth", lost: 1, total: 1, hint: "" });
		expect(sinks.reader).toMatchObject(reader({ ready: false, queued: 1 }));
	});
});

describe("a sink that fails to close", () => {
	test("leaves none open", () => {
		const log: string[] = [];
		const bad = new MemorySink(log, "bad");
		bad.close = () => {
			throw new Error("EIO");
		};
		const sinks = new Sinks([new MemorySink(log, "first"), bad, new MemorySink(log, "last")]);
		expect(() => sinks.close()).toThrow("EIO");
		expect(log).toEqual(["last: close", "first: close"]);
	});
});

describe("a reader that is late", () => {
	test("finds everything when it reads again, in the order in which it came", async () => {
		const plain = new Plain();
		const pipe = new PipeSink(10, 100);
		plain.clock.at(200, () => {
			pipe.takes = 0;
		});
		plain.clock.every(10, 205, 1205, () => plain.tracer.grow(1, plain.clock.ms));
		let inRing = 0;
		plain.clock.at(1500, () => {
			inRing = plain.tracer.ring.length;
			pipe.takes = 100;
		});
		await plain.observe([pipe], { durationMs: 3000 });
		// More than a batch or two did not leave the ring.
		expect(inRing).toBeGreaterThan(80);
		const order = pipe.of("growth").map(({ nth }) => nth);
		expect(order).toHaveLength(100);
		expect(order).toEqual(order.toSorted((a, b) => a - b));
		expect(pipe.end).toMatchObject({ growths: 100, complete: true });
		expect(pipe.of("loss")).toEqual([]);
	});

	test("loses what the ring does not hold, and that is reported as soon as it is known", async () => {
		const plain = new Plain();
		plain.tracer.capacity = 40;
		const pipe = new PipeSink(10, 0);
		plain.clock.every(10, 5, 1005, () => plain.tracer.grow(1));
		plain.clock.at(1600, () => {
			pipe.takes = 100;
		});
		await plain.observe([pipe], { durationMs: 3000 });
		const { ledger, complete } = pipe.end;
		expect(ledger.growth.hits).toBe(100);
		expect(ledger.growth.recorded).toBe(pipe.of("growth").length);
		expect(ledger.growth.recorded + ledger.growth.lost).toBe(100);
		expect(ledger.growth.lost).toBeGreaterThan(40);
		expect(complete).toBe(false);
		expect(pipe.of("loss").map(({ tier, lost }) => [tier, lost])).toEqual([["growth", ledger.growth.lost]]);
		// In the first window that ends after the loss, not at the end.
		expect(pipe.records.findIndex(({ type }) => type === "loss")).toBeLessThan(
			pipe.records.findIndex(({ type }) => type === "window") + 3,
		);
	});

	test("windows end meanwhile", async () => {
		const plain = new Plain();
		const pipe = new PipeSink(2, 0);
		plain.clock.at(2500, () => {
			pipe.takes = 100;
		});
		await plain.observe([pipe], { durationMs: 3500 });
		expect(pipe.of("window").map(({ elapsed_ns }) => elapsed_ns)).toEqual([1e9, 2e9, 3e9, 3.5e9]);
	});

	test("holds up the other sinks, which get the same records", async () => {
		const plain = new Plain();
		const [quick, slow] = [new PipeSink(10, 1000, [], "quick"), new PipeSink(10, 0, [], "slow")];
		plain.clock.every(10, 5, 1005, () => plain.tracer.grow(1));
		let [ofQuick, ofSlow] = [0, 0];
		plain.clock.at(1500, () => {
			[ofQuick, ofSlow] = [quick.of("growth").length, slow.of("growth").length];
			slow.takes = 100;
		});
		await plain.observe([quick, slow], { durationMs: 2000 });
		expect(ofQuick).toBe(ofSlow);
		expect(ofQuick).toBeLessThan(30);
		expect(quick.records).toEqual(slow.records);
		expect(quick.end).toMatchObject({ growths: 100, complete: true });
	});

	test("is looked at every millisecond while output waits for it", async () => {
		const plain = new Plain();
		const pipe = new PipeSink(1000, 1);
		const flushed: number[] = [];
		const { flush } = pipe;
		pipe.flush = function () {
			flushed.push(plain.clock.ms);
			flush.call(this);
		};
		plain.clock.at(120, () => {
			for (let i = 0; i < 4; i++) plain.tracer.grow(1);
		});
		await plain.observe([pipe], { durationMs: 500 });
		const around = flushed.filter((ms) => ms >= 100 && ms < 200);
		// The first records have been waited for, for a millisecond.
		expect(around.filter((ms, i) => ms !== around[i - 1])).toEqual([101, 151, 152]);
	});
});
