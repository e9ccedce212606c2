import { describe, expect, test } from "bun:test";
import { appendFileSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openFileBytes } from "../../../src/process/file-bytes.ts";
import { exePath, readExe } from "../../../src/process/procfs.ts";
import { copyOfSleep, start, temporaryFolder } from "../../support/processes.ts";
import { thrownBy } from "../../support/thrown.ts";

const folder = temporaryFolder("bytes");

/** 3 MiB and a bit in which every four bytes are different. */
const words = new Uint32Array(800_000).map((_, i) => Math.imul(i, 2_654_435_761));
const content = new Uint8Array(words.buffer);
const path = join(folder, "content");
writeFileSync(path, content);

describe("read", () => {
	test("gives the same bytes as the whole file, at any offset and length", () => {
		const file = openFileBytes(path);
		expect(file.size).toBe(content.length);
		const K = 1024;
		const ranges: [number, number][] = [
			[0, 0],
			[0, 1],
			[content.length, 0],
			[content.length - 1, 1],
			[64 * K - 1, 2],
			[64 * K, 64 * K],
			[64 * K - 3, 64 * K + 6],
			[5, 200 * K],
			[100, 256 * K],
			[0, content.length],
			[content.length - 70 * K, 70 * K],
		];
		for (let i = 0; i < 300; i++) {
			const offset = (i * 7_919_777) % content.length;
			ranges.push([offset, Math.min((i * 104_729) % (300 * K), content.length - offset)]);
		}
		for (const [offset, length] of ranges) {
			const bytes = file.read(offset, length);
			expect(bytes.length).toBe(length);
			expect(Buffer.compare(bytes, content.subarray(offset, offset + length))).toBe(0);
		}
		file.close();
	});

	test("outside the file is E-BIN-TRUNCATED", () => {
		const file = openFileBytes(path);
		const outside: [number, number][] = [
			[0, content.length + 1],
			[content.length, 1],
			[content.length + 1, 0],
			[-1, 1],
			[0, -1],
			[0.5, 1],
			[0, Number.NaN],
			[2 ** 60, 1],
			[1, Number.MAX_SAFE_INTEGER],
		];
		for (const [offset, length] of outside)
			expect(thrownBy(() => file.read(offset, length)).code).toBe("E-BIN-TRUNCATED");
		file.close();
	});

	test("of a huge structure in a sparse file fails instead of allocating it", () => {
		const sparse = join(folder, "sparse");
		writeFileSync(sparse, "x");
		truncateSync(sparse, 64 * 2 ** 30);
		const file = openFileBytes(sparse);
		expect(thrownBy(() => file.read(0, 32 * 2 ** 30)).code).toBe("E-BIN-MALFORMED");
		expect(file.read(50 * 2 ** 30, 3)).toEqual(new Uint8Array(3));
		file.close();
	});

	test("stays right when more pages are read than the cache holds", () => {
		const big = join(folder, "big");
		writeFileSync(big, "");
		for (let i = 0; i < 16; i++) appendFileSync(big, content);
		const file = openFileBytes(big);
		for (const round of [0, 1]) {
			for (let offset = 0; offset < file.size; offset += 50_000 + round) {
				expect(file.read(offset, 1)[0]).toBe(content[offset % content.length] as number);
			}
		}
		// Results stay valid although their pages have left the cache.
		const kept = file.read(12, 8);
		for (let offset = 0; offset < file.size; offset += 65_536) file.read(offset, 1);
		expect(Buffer.compare(kept, content.subarray(12, 20))).toBe(0);
		file.close();
	});

	test("after the file was cut is E-BIN-TRUNCATED", () => {
		const cut = join(folder, "cut");
		writeFileSync(cut, content);
		const file = openFileBytes(cut);
		truncateSync(cut, 100_000);
		expect(thrownBy(() => file.read(90_000, 400_000)).code).toBe("E-BIN-TRUNCATED");
		expect(thrownBy(() => file.read(200_000, 4)).code).toBe("E-BIN-TRUNCATED");
		file.close();
	});

	test("after close is an internal error, and closing twice is none", () => {
		const file = openFileBytes(path);
		file.close();
		file.close();
		expect(thrownBy(() => file.read(0, 1)).code).toBe("E-INTERNAL");
	});
});

test("identity is that of the file", () => {
	const file = openFileBytes(path);
	const { dev, ino, mtimeNs } = statSync(path, { bigint: true });
	expect(file.identity).toEqual({ dev, ino, mtimeNs, size: content.length });
	expect(file.path).toBe(path);
	file.close();
});

test("the executable of a process is readable after it was deleted", async () => {
	const copy = copyOfSleep(folder, "gmgbytes");
	const program = start([copy, "60"]);
	await program.until("exec", () => (readExe(program.pid).path === copy ? true : undefined));
	rmSync(copy);
	const file = openFileBytes(exePath(program.pid));
	expect(Buffer.compare(file.read(0, file.size), readFileSync("/bin/sleep"))).toBe(0);
	file.close();
});

describe("openFileBytes refuses", () => {
	test("folders, pipes and devices, without waiting for them", () => {
		const pipe = join(folder, "pipe");
		Bun.spawnSync(["mkfifo", pipe]);
		for (const [special, kind] of [
			[folder, "a folder"],
			[pipe, "a named pipe"],
			["/dev/null", "a device or socket"],
		] as const) {
			const error = thrownBy(() => openFileBytes(special));
			expect(error).toMatchObject({ code: "E-BIN-NOT-ELF", exitCode: 4 });
			expect(error.found).toContain(kind);
		}
	});

	test("sockets", async () => {
		const socket = join(folder, "socket");
		const server = Bun.listen({ unix: socket, socket: { data() {} } });
		expect(thrownBy(() => openFileBytes(socket)).code).toBe("E-BIN-NOT-ELF");
		server.stop();
	});

	test("what is not there", () => {
		for (const missing of [join(folder, "missing"), join(path, "below-a-file")]) {
			expect(thrownBy(() => openFileBytes(missing)).code).toBe("E-TARGET-NOT-FOUND");
		}
	});

	test("the executable of a process that has ended, as gone", async () => {
		const program = start(["sleep", "60"]);
		await program.stop();
		expect(thrownBy(() => openFileBytes(exePath(program.pid)))).toMatchObject({ code: "E-TARGET-GONE", exitCode: 4 });
	});

	test("nothing, once more after its pages were given back", () => {
		const file = openFileBytes(path);
		const before = file.read(0, 100);
		file.trim();
		expect(file.read(0, 100)).toEqual(before);
		file.close();
	});

	test("without leaking a descriptor", () => {
		const descriptors = () => readdirSync("/proc/self/fd").length;
		const before = descriptors();
		for (let i = 0; i < 50; i++) thrownBy(() => openFileBytes(folder));
		expect(descriptors()).toBeLessThan(before + 25);
	});
});
