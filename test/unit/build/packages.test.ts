import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import manifest from "../../../package.json";
import lock from "../../../package-lock.json";

const top = join(import.meta.dir, "../../..");

interface Locked {
	version?: string;
	resolved?: string;
	integrity?: string;
}

describe("npm packages", () => {
	const wanted: Record<string, string> = { ...manifest.dependencies, ...manifest.devDependencies };
	const locked: Record<string, Locked> = lock.packages;

	test("are asked for by exact version, which is the locked one", () => {
		for (const [name, version] of Object.entries(wanted)) {
			expect(`${name} ${version}`).toMatch(/^\S+ \d+\.\d+\.\d+$/);
			expect(locked[`node_modules/${name}`]?.version).toBe(version);
		}
	});

	test("are locked by checksum and come from the public registry only", () => {
		const packages = Object.entries(locked).filter(([path]) => path !== "");
		expect(packages.length).toBeGreaterThan(Object.keys(wanted).length);
		for (const [path, { integrity, resolved }] of packages) {
			expect(`${path} ${integrity}`).toMatch(/ sha512-/);
			if (resolved !== undefined) expect(resolved).toStartWith("https://registry.npmjs.org/");
		}
	});

	test("that the executable contains are in the notices, with their versions", async () => {
		const notices = await Bun.file(join(top, "THIRD-PARTY-NOTICES.md")).text();
		for (const [name, version] of Object.entries({ ...manifest.dependencies, Bun: manifest.devDependencies.bun })) {
			expect(notices).toContain(`| ${name} | ${version} |`);
		}
	});

	test("run the tests with the Bun that compiles the executable", () => {
		expect(Bun.version).toBe(manifest.devDependencies.bun);
	});
});

test("the libraries' versions in the notices are those that the build takes", async () => {
	const notices = await Bun.file(join(top, "THIRD-PARTY-NOTICES.md")).text();
	const script = await Bun.file(join(top, "build/lib/native.sh")).text();
	for (const [part, variable] of [
		["libbpf", "LIBBPF"],
		["libelf (elfutils)", "ELFUTILS"],
		["zlib", "ZLIB"],
	] as const) {
		const taken = new RegExp(`^${variable}_VERSION=(?:.*really)?([0-9.]+)$`, "m").exec(script)?.[1];
		expect(notices).toContain(`| ${part} | ${taken} |`);
	}
});
