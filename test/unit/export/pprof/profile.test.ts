import { describe, expect, test } from "bun:test";
import { lstatSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { Profile } from "pprof-format";
import { ProfileFiles, type ProfileRequest } from "../../../../src/export/pprof/profile-files.ts";
import { nameForFile } from "../../../../src/export/private-file.ts";
import type { Frame, GrowthRecord, TargetRecord } from "../../../../src/records/records.ts";
import { goRoot } from "../../../support/go-binaries.ts";
import { temporaryFolder } from "../../../support/processes.ts";
import { EXAMPLES } from "../../records/example-records.ts";

const folder = temporaryFolder("pprof");
const GROWTH = EXAMPLES.find(({ type }) => type === "growth") as GrowthRecord;
const TARGET = EXAMPLES.find(({ type }) => type === "target") as TargetRecord;

const frame = (fn: string, line: number, inlined = false): Frame => ({
	...{ fn, file: `/src/${fn.split(".")[0]}.go`, line },
	...(inlined ? { inlined: true as const } : {}),
});
/** A map that grows in a deferred function while the program panics, in a function that is inlined. */
const DEFERRED = [
	frame("runtime.hashGrow", 1),
	frame("runtime.mapassign_faststr", 2),
	frame("main.put", 3, true),
	frame("main.main.func1", 4),
	frame("runtime.gopanic", 5),
	frame("main.main", 6),
	frame("runtime.main", 7),
];
const SWISS = [
	frame("internal/runtime/maps.(*table).grow", 1),
	frame("internal/runtime/maps.(*table).rehash", 2),
	frame("runtime.mapassign_faststr", 3),
	frame("main.put", 3, true),
	frame("main.main.func1", 4),
	frame("runtime.gopanic", 5),
	frame("main.main", 6),
	frame("runtime.main", 7),
];

function growth(pid: number, stack: Frame[], more: Partial<GrowthRecord> = {}): GrowthRecord {
	const { weight: _, duration_ns: __, bytes_moved: ___, ...one } = GROWTH;
	return { ...one, pid, stack, map_type: "map[string]*main.node", kind: "double", cause: "load", bytes: 1000, ...more };
}

function target(pid: number, name: string): TargetRecord {
	return { ...TARGET, pid, name, exe: `/srv/${name}`, build_id: `id-of-${name}` };
}

function written(
	name: string,
	records: (GrowthRecord | TargetRecord)[],
	request: Partial<ProfileRequest> = {},
): string[] {
	const path = join(folder, name);
	const files = new ProfileFiles({ path, pid: undefined, goroutines: false, force: false, ...request });
	for (const record of records) files.add(record);
	return files.write({ timeNs: 1_780_000_000_000_000_000n, durationNs: 2e9, comments: ["gomapgrow 0 on db1"] });
}

async function pprof(...args: string[]): Promise<string> {
	const go = join(goRoot("1.23"), "bin/go");
	const child = Bun.spawn([go, "tool", "pprof", "-symbolize=none", ...args], {
		env: { ...process.env, GOTOOLCHAIN: "local", GOENV: "off", PPROF_TMPDIR: folder, HOME: folder },
		...{ stdout: "pipe", stderr: "pipe" },
	});
	const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
	if ((await child.exited) !== 0) throw new Error(err);
	return out;
}

describe("go tool pprof reads a profile", () => {
	const records = [
		target(1, "shop"),
		growth(1, DEFERRED, { weight: 2.5, bytes_moved: 100, duration_ns: 4000 }),
		growth(1, DEFERRED, { bytes_moved: 100, duration_ns: 1000 }),
		growth(1, DEFERRED, { kind: "same-size", cause: "overflow" }),
		growth(1, [frame("runtime.hashGrow", 1), frame("main.other", 9), frame("main.main", 6)], { weight: 1 }),
	];
	const [path = ""] = written("shop.pb.gz", records);

	test("the place that grew the map is the innermost frame, also in a deferred function", async () => {
		const top = await pprof("-top", path);
		expect(top).toContain("Type: growths");
		expect(top).toMatch(/^\s*5 .* main\.put \(inline\)$/m);
		// runtime.hashGrow without an assignment above it is dropped as well.
		expect(top).toMatch(/^\s*1 .* main\.other$/m);
		expect(top).not.toMatch(/hashGrow|mapassign/);
		// What calls the deferred function stays.
		expect(top).toContain("runtime.gopanic");
	});

	test("all weights, as whole numbers", async () => {
		// 2.5 + 1 + 1 growths are 3.5 (rounded up) and 1 of two kinds.
		const raw = await pprof("-raw", path);
		expect(raw).toContain("growths/count[dflt] bytes/bytes copied/bytes delay/nanoseconds");
		expect(raw).toMatch(/^\s*4\s+3500\s+350\s+11000: /m);
		expect(raw).toMatch(/^1: 0x0\/0x0\/0x0 \/srv\/shop id-of-shop \[FN\]/m);
	});

	test("labels and comments", async () => {
		const tags = await pprof("-tags", path);
		expect(tags).toContain("map[string]*main.node");
		expect(tags).toContain("same-size");
		expect(tags).toContain("overflow");
		const comments = await pprof("-comments", path);
		expect(comments).toContain("gomapgrow 0 on db1");
		expect(comments).toContain("2 of 4 recorded growths have a duration");
	});

	test("inlined frames, and a difference between both kinds of maps", async () => {
		const traces = await pprof("-traces", path);
		expect(traces).toContain("main.put (inline)");
		const [swiss = ""] = written("swiss.pb.gz", [target(1, "shop"), ...Array(9).fill(growth(1, SWISS))]);
		const difference = await pprof("-top", `-diff_base=${path}`, swiss);
		expect(difference).toMatch(/^\s*4 .* main\.put \(inline\)$/m);
	});
});

describe("files", () => {
	const records = [target(1, "shop"), target(2, "../etc/.x"), growth(1, DEFERRED), growth(2, SWISS), growth(2, SWISS)];

	test("one for each executable, named by it", () => {
		const paths = written("by-{name}.pb.gz", records);
		expect(paths).toEqual([join(folder, "by-shop.pb.gz"), join(folder, "by-__etc_.x.pb.gz")]);
	});

	test("without names several executables are refused, one process is not", () => {
		expect(() => written("all.pb.gz", records)).toThrow("growths of 2 executables: shop, ../etc/.x");
		const [path = ""] = written("two.pb.gz", records, { pid: 2 });
		const profile = Profile.decode(gunzipSync(readFileSync(path)));
		expect(profile.mapping).toHaveLength(1);
		expect(profile.sample.map(({ value }) => Number(value[0]))).toEqual([2]);
	});

	test("only their owner can read them; what is there is replaced with --force alone, and a link never followed", () => {
		const [path = ""] = written("once.pb.gz", records, { pid: 1 });
		expect(lstatSync(path).mode & 0o777).toBe(0o600);
		expect(() => written("once.pb.gz", records, { pid: 1 })).toThrow("found a file of that name");
		const victim = join(folder, "victim");
		writeFileSync(victim, "mine");
		const link = join(folder, "link.pb.gz");
		symlinkSync(victim, link);
		expect(() => written("link.pb.gz", records, { pid: 1 })).toThrow("found a file of that name");
		written("link.pb.gz", records, { pid: 1, force: true });
		expect(lstatSync(link).isSymbolicLink()).toBe(false);
		expect(readFileSync(victim, "utf8")).toBe("mine");
	});

	test("names of targets become harmless", () => {
		expect(["shop", "../../etc/passwd", ".bashrc", "a b\n", "", "..", "ü/x"].map(nameForFile)).toEqual([
			"shop",
			"__.._etc_passwd",
			"_bashrc",
			"a_b_",
			"_",
			"_",
			"__x",
		]);
	});
});
