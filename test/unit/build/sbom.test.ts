import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { billOfMaterials, type Contents, partsOf } from "../../../build/sbom.ts";
import manifest from "../../../package.json";
import lock from "../../../package-lock.json";

const notices = readFileSync(join(import.meta.dir, "../../../THIRD-PARTY-NOTICES.md"), "utf8");

interface Bill {
	serialNumber: string;
	components: { name: string; version: string; licenses: unknown[]; hashes?: unknown[]; purl?: string }[];
	dependencies: { dependsOn: string[] }[];
}

function contents(platform: string): Contents {
	return {
		...{ version: "1.2.3", commit: "0123456789ab", date: "2026-01-02", platform, sha256: "ab".repeat(32) },
		parts: partsOf(notices),
		locked: lock.packages,
		archives: { libbpf: { file: "libbpf_1.5.0.orig.tar.gz", sha256: "cd".repeat(32) } },
	};
}

const billFor = (platform: string): Bill => billOfMaterials(contents(platform)) as Bill;

describe("the bill of materials", () => {
	test("has every part of the notices, and what npm brings with the checksum that is locked", () => {
		const { components, dependencies } = billFor("x64");
		const names = components.map(({ name }) => name);
		expect(names).toEqual(
			expect.arrayContaining(["Bun", "libbpf", "libelf (elfutils)", "zlib", ...Object.keys(manifest.dependencies)]),
		);
		expect(dependencies[0]?.dependsOn).toEqual(names);
		for (const name of Object.keys(manifest.dependencies)) {
			const component = components.find((each) => each.name === name);
			expect(component?.purl).toBe(`pkg:npm/${name.replace("@", "%40")}@${component?.version}`);
			expect(component?.hashes).toEqual([{ alg: "SHA-512", content: expect.stringMatching(/^[0-9a-f]{128}$/) }]);
		}
		expect(components.find(({ name }) => name === "libbpf")).toEqual({
			...{ type: "library", "bom-ref": "libbpf", name: "libbpf", version: "1.5.0" },
			licenses: [{ license: { id: "BSD-2-Clause" } }],
			externalReferences: [
				{
					type: "source-distribution",
					url: "https://deb.debian.org/debian/pool/main/l/libbpf/libbpf_1.5.0.orig.tar.gz",
					hashes: [{ alg: "SHA-256", content: "cd".repeat(32) }],
				},
			],
		} as never);
	});

	test("names the Bun of the platform that it is for", () => {
		const bunOf = (platform: string) => billFor(platform).components.find(({ name }) => name === "Bun")?.purl;
		expect(bunOf("x64")).toBe(`pkg:npm/%40oven/bun-linux-x64@${manifest.devDependencies.bun}`);
		expect(bunOf("arm64")).toBe(`pkg:npm/%40oven/bun-linux-aarch64@${manifest.devDependencies.bun}`);
		expect(bunOf("x64-musl")).toBe(`pkg:npm/%40oven/bun-linux-x64-musl@${manifest.devDependencies.bun}`);
	});

	test("has a serial number that is a UUID and follows from the executable", () => {
		expect(billFor("x64").serialNumber).toMatch(
			/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/,
		);
		expect(billFor("x64")).toEqual(billFor("x64"));
		const other = billOfMaterials({ ...contents("x64"), sha256: "ef".repeat(32) }) as Bill;
		expect(other.serialNumber).not.toBe(billFor("x64").serialNumber);
	});

	test("refuses a version in the notices that is not the locked one", () => {
		const parts = partsOf(notices.replace("| cac | 7.1.0 |", "| cac | 7.0.0 |"));
		expect(() => billOfMaterials({ ...contents("x64"), parts })).toThrow(
			"cac is 7.1.0 in the lock file, 7.0.0 in the notices",
		);
	});
});
