/** Which samples are inside map growth, and under which callers. */
import { describe, expect, test } from "bun:test";
import { CpuProfileBuilder, type FrameResolver } from "../../../src/perf-profile/cpu-profile.ts";
import type { PerfSample } from "../../../src/perf-profile/parse-script.ts";

const unknown: FrameResolver = () => undefined;

function sample(stack: string[], extra: Partial<PerfSample> = {}): PerfSample {
	const frames = stack.map((fn, index) => ({ address: 0x1000 + index, ...(fn === "" ? {} : { fn }), dso: "/x" }));
	return { comm: "shopd", tid: 7, time: 10, event: "cpu-clock:u", period: 250_000, frames, ...extra };
}

function profileOf(samples: readonly PerfSample[], resolve = unknown) {
	const builder = new CpuProfileBuilder(resolve);
	for (const each of samples) builder.add(each);
	const profile = builder.result();
	if (profile === undefined) throw new Error("no samples");
	return profile;
}

const TABLE = "internal/runtime/maps.(*table)";

describe("a sample is inside map growth", () => {
	test.each([
		[["runtime.hashGrow", "runtime.mapassign", "main.f"], "main.f"],
		// What growth calls is part of it.
		[["runtime.memhash64", "runtime.growWork_fast64", "runtime.mapassign_fast64", "main.f"], "main.f"],
		[["runtime.mallocgc", "runtime.makeBucketArray", "runtime.hashGrow", "runtime.mapassign", "main.f"], "main.f"],
		[[`${TABLE}.split`, `${TABLE}.rehash`, "runtime.mapassign_faststr", "main.(*T).put"], "main.(*T).put"],
		[
			[`${TABLE}.pruneTombstones`, "runtime.mapassign_faststr", "maps.Copy[go.shape.map[string]int]", "main.f"],
			"main.f",
		],
		[["internal/runtime/maps.(*Map).growToTable", "runtime.mapassign", "reflect.mapassign0", "main.f"], "main.f"],
	])("%j", (stack, caller) => {
		const { growth, callers } = profileOf([sample(stack)]);
		expect(growth).toEqual({ samples: 1, weight: 250_000 });
		expect(callers).toEqual([{ fn: caller, samples: 1, weight: 250_000 }]);
	});

	test.each([
		[["main.growWork", "main.f"], 0],
		[["runtime.growWorkers", "main.f"], 0],
		[["runtime.evacuated", "runtime.mapaccess1", "main.f"], 1],
		[["runtime.mapassign_fast64", "main.f"], 1],
		[["internal/runtime/maps.(*Iter).Next", "main.f"], 1],
		[["runtime.mallocgc", "main.f"], 0],
		[["", "", ""], 0],
		[[], 0],
	])("but not %j", (stack, otherMapCode) => {
		const profile = profileOf([sample(stack)]);
		expect([profile.growth.samples, profile.otherMapCode.samples]).toEqual([0, otherMapCode]);
		expect(profile.callers).toEqual([]);
	});
});

describe("sums", () => {
	const grow = ["runtime.evacuate", "runtime.growWork", "runtime.mapassign", "main.f"];
	test("functions are counted once a sample, with all that they call", () => {
		const { functions, total } = profileOf([
			sample(grow),
			sample(grow.slice(1), { period: 750_000 }),
			sample(["main.f"]),
		]);
		expect(total).toEqual({ samples: 3, weight: 1_250_000 });
		expect(functions).toEqual([
			{ fn: "runtime.growWork", samples: 2, weight: 1_000_000 },
			{ fn: "runtime.evacuate", samples: 1, weight: 250_000 },
		]);
	});

	test("time, threads, names", () => {
		const { spanNs, threads, comms, clock, event } = profileOf([
			sample(grow, { time: 100.5, tid: 1, comm: ":1" }),
			sample(grow, { time: 100.25, tid: 2, comm: "worker" }),
			sample(grow, { time: 104.25, tid: 2 }),
		]);
		expect({ spanNs, threads, comms, clock, event }).toEqual({
			...{ spanNs: 4e9, threads: 2, comms: ["worker", "shopd"], clock: true, event: "cpu-clock:u" },
		});
	});

	test("an event that is no clock gives shares, not times; one without a period counts samples", () => {
		expect(profileOf([sample(grow, { event: "cycles:u" })]).clock).toBe(false);
		const { period: _, ...bare } = sample(grow);
		const { clock, total } = profileOf([bare]);
		expect([clock, total]).toEqual([false, { samples: 1, weight: 1 }]);
	});

	test("other events, samples without callers or names", () => {
		const profile = profileOf([
			sample(["runtime.hashGrow"]),
			sample(["", "main.f"]),
			sample(grow, { event: "page-faults" }),
		]);
		expect(profile).toMatchObject({ otherEvents: 1, withoutCallers: 1 });
		expect([profile.total.samples, profile.nameless.samples]).toEqual([2, 1]);
		// Nobody knows who called it.
		expect(profile.callers).toEqual([]);
	});

	test("what is no file has its own name", () => {
		const { nameless } = profileOf([sample([], { frames: [{ address: 1, dso: "[vdso]" }] })]);
		expect(nameless.samples).toBe(0);
	});

	test("callers are bounded: the rest is one row, and the sum stays", () => {
		const samples = Array.from({ length: 5000 }, (_, i) =>
			sample(["runtime.hashGrow", "runtime.mapassign", `main.f${i}`]),
		);
		const { callers } = profileOf(samples);
		expect(callers).toHaveLength(4097);
		expect(callers.reduce((sum, { samples: n }) => sum + n, 0)).toBe(5000);
		expect(callers[0]).toMatchObject({ fn: "(other)", samples: 904 });
	});
});

test("frames that the executable tells win over perf's, with lines and inlined functions", () => {
	const asked: boolean[] = [];
	const resolve: FrameResolver = ({ address }, isReturn) => {
		asked.push(isReturn);
		if (address !== 0x1002) return undefined;
		return [
			{ fn: "main.addLabel", file: "/src/main.go", line: 101, inlined: true },
			{ fn: "main.handle", file: "/src/main.go", line: 95 },
		];
	};
	const { callers } = profileOf([sample(["runtime.hashGrow", "runtime.mapassign", "", "main.main"])], resolve);
	expect(callers).toEqual([{ fn: "main.addLabel", file: "/src/main.go", line: 101, samples: 1, weight: 250_000 }]);
	expect(asked).toEqual([false, true, true, true]);
});
