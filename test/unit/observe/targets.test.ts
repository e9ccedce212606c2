/** Targets that come, end, execute another program, or cannot be attached, while an observation runs. */
import { describe, expect, test } from "bun:test";
import { GomapgrowError } from "../../../src/errors/error.ts";
import { gone, MemorySink, NO_CHANGE, PipeSink, Plain, plainTarget, StateSink } from "./plain.ts";

const names = (sink: MemorySink): (string | undefined)[][] =>
	sink.of("window").map(({ targets }) => targets?.map(({ name }) => name) ?? []);

async function failure(action: Promise<unknown>): Promise<GomapgrowError> {
	const error = await action.then(
		() => undefined,
		(reason: unknown) => reason,
	);
	if (error instanceof GomapgrowError) return error;
	throw new Error(`expected a GomapgrowError, not ${error}`);
}

describe("at the start", () => {
	test("all are attached before the first record, and a held command goes on after it", async () => {
		const plain = new Plain();
		const sink = new MemorySink();
		const steps: string[] = [];
		await plain.observe([sink], {
			durationMs: 100,
			onAttaching: (processes) => steps.push(`attaching ${processes}, attached ${plain.tracer.targets.length}`),
			govern: () => {
				steps.push(`govern, attached ${plain.tracer.targets.length}`);
				return { governor: plain.governor };
			},
			onAttached: () => steps.push(`go on after ${sink.records.map(({ type }) => type).join(" ")}`),
		});
		expect(steps).toEqual(["attaching 2, attached 0", "govern, attached 2", "go on after start target target"]);
	});

	test("one that has gone meanwhile is left out", async () => {
		const plain = new Plain();
		const sink = new MemorySink();
		plain.tracer.errors.set(1, gone());
		await plain.observe([sink], { durationMs: 100 });
		expect(sink.of("target").map(({ pid }) => pid)).toEqual([2]);
		expect(plain.targets.map(({ closes }) => closes)).toEqual([1, 0]);
	});

	test("nobody is left: an error, and nothing was written", async () => {
		const plain = new Plain();
		const sink = new MemorySink();
		for (const pid of [1, 2]) plain.tracer.errors.set(pid, gone());
		expect((await failure(plain.observe([sink]))).code).toBe("E-TARGET-GONE");
		expect(sink.records).toEqual([]);
		expect([sink.closes, plain.tracer.closed]).toEqual([1, 1]);
	});

	test("one that cannot be attached is an error, and the others are closed", async () => {
		const plain = new Plain();
		plain.targets = [plainTarget(1), plainTarget(2), plainTarget(3)];
		plain.tracer.errors.set(2, new GomapgrowError("E-HOST-UPROBE", { wanted: "to attach", found: "EINVAL" }));
		expect((await failure(plain.observe([new MemorySink()]))).code).toBe("E-HOST-UPROBE");
		// The first one is the tracer's.
		expect(plain.targets.map(({ closes }) => closes)).toEqual([0, 1, 1]);
		expect(plain.tracer.closed).toBe(1);
	});
});

describe("later", () => {
	test("they are looked for every 100 ms, and `over` ends the observation", async () => {
		const plain = new Plain();
		plain.clock.at(450, () => {
			plain.changes = { ...NO_CHANGE, over: true };
		});
		const sink = new MemorySink();
		expect(await plain.observe([sink])).toBe("target-exit");
		expect(plain.polls).toEqual([100, 200, 300, 400, 500]);
		expect(sink.end).toMatchObject({ reason: "target-exit", elapsed_ns: 0.5e9 });
	});

	test("they are looked for every 200 ms once there were no records for a second", async () => {
		const plain = new Plain();
		await plain.observe([new MemorySink()], { durationMs: 1900 });
		expect(plain.polls).toEqual([100, 200, 300, 400, 500, 600, 700, 800, 900, 1100, 1300, 1500, 1700, 1900]);
	});

	test("one that comes is attached and announced, and its growths count from then on", async () => {
		const plain = new Plain();
		const sink = new MemorySink();
		plain.clock.every(100, 10, 3000, () => plain.tracer.grow(3));
		plain.clock.at(1050, () => {
			plain.changes = { ...NO_CHANGE, started: [plainTarget(3)] };
		});
		await plain.observe([sink], { durationMs: 2000 });
		expect(sink.of("target").map(({ pid, time }) => [pid, time.slice(17, 23)])).toEqual([
			[1, "00.000"],
			[2, "00.000"],
			[3, "01.100"],
		]);
		expect(names(sink).slice(0, 2)).toEqual([
			["p1", "p2"],
			["p1", "p2", "p3"],
		]);
		expect(sink.end.growths).toBe(9);
	});

	test("one that ends: its last growths are read before its places go to others, and what it missed is kept", async () => {
		const plain = new Plain();
		const sink = new StateSink();
		plain.clock.at(195, () => {
			for (let i = 0; i < 30; i++) plain.tracer.grow(1);
			plain.changes = { ...NO_CHANGE, ended: plain.targets.slice(0, 1) };
		});
		await plain.observe([sink], { durationMs: 1500 });
		const [first] = sink.of("window");
		expect(first?.growths).toBe(30);
		expect(names(sink)[0]).toEqual(["p2"]);
		expect(plain.governor.released).toEqual([1]);
		expect(plain.targets.map(({ closes }) => closes)).toEqual([1, 0]);
		expect([...(sink.states[0]?.ended ?? [])]).toEqual([1]);
		expect(sink.end.growths).toBe(30);
	});

	test("of a process that ends a record says how, after its last growth, also when it is the last thing that happens", async () => {
		for (const over of [false, true]) {
			const plain = new Plain();
			const sink = new MemorySink();
			plain.clock.at(195, () => {
				for (let i = 0; i < 3; i++) plain.tracer.grow(1);
				plain.changes = { ended: plain.targets.slice(0, 1), started: [], exits: [{ pid: 1, code: 7 }], over };
			});
			await plain.observe([sink], { durationMs: 1500 });
			const types = sink.records.map(({ type }) => type).filter((type) => type === "growth" || type === "exit");
			expect(types).toEqual(["growth", "growth", "growth", "exit"]);
			expect(sink.of("exit")).toMatchObject([{ pid: 1, code: 7, elapsed_ns: 0.2e9 }]);
		}
	});

	test("the record comes at the end when its growths wait for a reader until then", async () => {
		const plain = new Plain();
		const pipe = new PipeSink(3, 0);
		const sink = new MemorySink();
		plain.clock.at(150, () => {
			for (let i = 0; i < 20; i++) plain.tracer.grow(1);
			plain.changes = { ...NO_CHANGE, exits: [{ pid: 1, signal: 9 }] };
		});
		plain.clock.at(300, () => {
			plain.stop.request("interrupt");
			pipe.takes = 100;
		});
		await plain.observe([pipe, sink]);
		expect(sink.records.slice(-3).map(({ type }) => type)).toEqual(["exit", "window", "end"]);
	});

	test("several that end are let go of together: the tables are read once for all of them", async () => {
		const plain = new Plain();
		plain.targets = [plainTarget(1), plainTarget(2), plainTarget(3)];
		plain.clock.at(150, () => {
			plain.changes = { ...NO_CHANGE, ended: plain.targets.slice(0, 2) };
		});
		await plain.observe([new MemorySink()], { durationMs: 500 });
		expect(plain.log.filter((step) => step.startsWith("release"))).toEqual(["release p1, p2"]);
		expect(plain.governor.released).toEqual([1, 2]);
		expect(plain.targets.map(({ closes }) => closes)).toEqual([1, 1, 0]);
	});

	test("the last one that ended stays in the records until another one comes", async () => {
		const plain = new Plain();
		plain.targets = [plainTarget(1)];
		const sink = new StateSink();
		plain.clock.at(150, () => {
			plain.changes = { ...NO_CHANGE, ended: [...plain.targets] };
		});
		plain.clock.at(1150, () => {
			plain.changes = { ...NO_CHANGE, started: [plainTarget(2)] };
		});
		await plain.observe([sink], { durationMs: 2500 });
		expect(names(sink)).toEqual([["p1"], ["p2"], ["p2"]]);
	});

	test("one that executes another program is another target of the same process", async () => {
		const plain = new Plain();
		const sink = new StateSink();
		const [before] = plain.targets;
		const after = plainTarget(1, "other");
		plain.clock.at(150, () => {
			plain.changes = { ...NO_CHANGE, ended: before === undefined ? [] : [before], started: [after] };
		});
		await plain.observe([sink], { durationMs: 1500 });
		expect(plain.log.filter((step) => /attach |release/.test(step))).toEqual([
			...["attach p1", "attach p2", "release p1", "attach other"],
		]);
		expect(names(sink)[0]).toEqual(["p2", "other"]);
		expect([...(sink.states[0]?.ended ?? [])]).toEqual([]);
		expect(before?.closes).toBe(1);
	});

	test("the same while a reader is behind: the new program stays, the old one goes when its growths were read", async () => {
		const plain = new Plain();
		const pipe = new PipeSink(3, 0);
		const sink = new StateSink();
		const [before] = plain.targets;
		plain.clock.at(150, () => {
			for (let i = 0; i < 20; i++) plain.tracer.grow(1);
			plain.changes = {
				...NO_CHANGE,
				ended: before === undefined ? [] : [before],
				started: [plainTarget(1, "other")],
			};
		});
		plain.clock.at(700, () => {
			expect(plain.tracer.targets.map(({ identity }) => identity.name)).toEqual(["p1", "p2", "other"]);
			pipe.takes = 100;
		});
		await plain.observe([pipe, sink], { durationMs: 1500 });
		expect(names(sink)[0]).toEqual(["p2", "other"]);
		expect([...(sink.states[0]?.ended ?? [])]).toEqual([]);
		expect(plain.governor.released).toEqual([1]);
		expect(sink.of("growth")).toHaveLength(20);
		expect(sink.end.complete).toBe(true);
	});

	test("one that cannot be attached is dropped, and the observation goes on", async () => {
		const plain = new Plain();
		const sink = new MemorySink();
		const changed = new GomapgrowError("E-BIN-CHANGED", { wanted: "the executable as it was", found: "another" });
		plain.tracer.errors.set(3, gone()).set(4, changed);
		plain.clock.at(150, () => {
			plain.changes = { ...NO_CHANGE, started: [plainTarget(3), plainTarget(4), plainTarget(5)] };
		});
		await plain.observe([sink], { durationMs: 1000 });
		expect(plain.dropped).toEqual([3, 4]);
		expect(sink.of("target").map(({ pid }) => pid)).toEqual([1, 2, 5]);
	});

	test("one that finds no room is dropped, and closed", async () => {
		const plain = new Plain();
		plain.tracer.room = 2;
		const third = plainTarget(3);
		plain.clock.at(150, () => {
			plain.changes = { ...NO_CHANGE, started: [third] };
		});
		await plain.observe([new MemorySink()], { durationMs: 500 });
		expect(plain.dropped).toEqual([3]);
		expect(third.closes).toBe(1);
		expect(plain.log).not.toContain("attach p3");
	});

	test("what is wrong with the host ends the observation", async () => {
		const plain = new Plain();
		const sink = new MemorySink();
		plain.tracer.errors.set(3, new GomapgrowError("E-HOST-UPROBE", { wanted: "to attach", found: "ENOSPC" }));
		plain.clock.at(150, () => {
			plain.changes = { ...NO_CHANGE, started: [plainTarget(3)] };
		});
		expect((await failure(plain.observe([sink]))).code).toBe("E-HOST-UPROBE");
		expect([sink.closes, plain.tracer.closed]).toEqual([1, 1]);
	});

	test("a command that executes other code than what is probed ends it, too", async () => {
		const plain = new Plain();
		const sink = new MemorySink();
		plain.clock.at(150, () => {
			plain.tracer.changed = new GomapgrowError("E-BIN-CHANGED", { wanted: "a probe", found: "none" });
		});
		expect((await failure(plain.observe([sink]))).code).toBe("E-BIN-CHANGED");
		expect([sink.closes, plain.tracer.closed]).toEqual([1, 1]);
	});
});
