/** The executable is all there is: it needs nothing beside it and leaves nothing behind. */
import { describe, expect } from "bun:test";
import { chmodSync, copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { missingCommands, missingForTracing, testWith } from "../support/capability.ts";
import { type Program, start, temporaryFolder } from "../support/processes.ts";
import { GOMAPGROW, toTrace } from "../support/trace.ts";
import { buildProgram } from "./build-program.ts";

const isolationTest = testWith(missingForTracing(), missingCommands("unshare", "mount", "chroot", "ldd"));
const TIMEOUT = 60_000;
const folder = temporaryFolder("isolation");

/** A folder with the executable and a program to run, and nothing else. */
function alone(name: string): string {
	const place = join(folder, name);
	mkdirSync(place);
	copyFileSync(GOMAPGROW, join(place, "gomapgrow"));
	copyFileSync(buildProgram("grow", "1.27"), join(place, "grow"));
	for (const file of ["gomapgrow", "grow"]) chmodSync(join(place, file), 0o755);
	return place;
}

/** The ten growths of 2000 keys are there: see growths.test.ts. */
async function expectTrace(program: Program): Promise<void> {
	const exit = await program.finish();
	expect(program.stderr).not.toContain("error");
	expect(exit.code).toBe(0);
	const trace = toTrace(program, exit);
	expect(trace.growths.filter((growth) => growth.map_type === "map[int]int" && growth.goid === 1)).toHaveLength(10);
	expect(trace.end.complete).toBe(true);
}

/** Runs a shell script in a mount namespace of its own. */
function inNamespace(script: string, args: string[], cwd: string): Program {
	return start(["unshare", "--mount", "sh", "-euc", script, "sh", ...args], {
		cwd,
		env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
	});
}

describe("alone in a folder", () => {
	isolationTest(
		"with an empty environment",
		async () => {
			const place = alone("empty-environment");
			await expectTrace(
				start(["env", "-i", "./gomapgrow", "run", "--json", "--", "./grow", "int", "2000"], { cwd: place }),
			);
			expect(readdirSync(place).sort()).toEqual(["gomapgrow", "grow"]);
		},
		TIMEOUT,
	);

	for (const [name, options] of [
		["read-only", "ro"],
		["noexec", "noexec"],
	] as const) {
		isolationTest(
			`with a ${name} folder for temporary files`,
			async () => {
				const place = alone(`tmpdir-${name}`);
				const script = `mount -t tmpfs -o ${options} tmpfs /mnt; export TMPDIR=/mnt; "$@"; ls -A /mnt >&2`;
				const program = inNamespace(script, ["./gomapgrow", "run", "--json", "--", "./grow", "int", "2000"], place);
				await expectTrace(program);
				// The listing, which is empty, follows the summary.
				expect(program.stderr).toMatch(/ · no events lost.*\nledger: .*\n$/);
			},
			TIMEOUT,
		);
	}

	isolationTest(
		"it leaves no file behind: neither there nor in the temporary, home and shared memory folders",
		async () => {
			const place = alone("no-file");
			const mounts = ["/tmp", "/var/tmp", "/root", "/dev/shm", "/run"]
				.map((path) => `mount -t tmpfs tmpfs ${path}`)
				.join("; ");
			// The place itself is below one of these.
			const script = `mount --bind . /mnt; cd /mnt; ${mounts}; export HOME=/root; "$@"; find /tmp /var/tmp /root /dev/shm /run . -mindepth 1 >&2`;
			const program = inNamespace(script, ["./gomapgrow", "run", "--json", "--", "./grow", "int", "2000"], place);
			await expectTrace(program);
			const listed = program.stderr.replace(/^[\s\S]*\nledger: .*\n/, "");
			expect(listed.trim().split("\n").sort()).toEqual(["./gomapgrow", "./grow"]);
		},
		TIMEOUT,
	);

	isolationTest(
		"in a root with nothing but the C library",
		async () => {
			const place = alone("root");
			const libraries = Bun.spawnSync(["ldd", GOMAPGROW]).stdout.toString().match(/\/\S+/g) ?? [];
			for (const library of libraries) {
				mkdirSync(join(place, dirname(library)), { recursive: true });
				copyFileSync(library, join(place, library));
				// Only what belongs to the C library.
				expect(library).toMatch(/\/(libc|libm|libdl|libpthread|librt|ld-linux-x86-64)\.so\.\d$/);
			}
			for (const sub of ["proc", "sys"]) mkdirSync(join(place, sub));
			const script = 'mount -t proc proc proc; mount --bind /sys sys; exec chroot . "$@"';
			const args = ["/gomapgrow", "run", "--json", "--", "/grow", "int", "2000"];
			await expectTrace(inNamespace(script, args, place));
		},
		TIMEOUT,
	);
});

isolationTest(
	"configuration files of other tools in the current folder are ignored",
	async () => {
		const place = alone("configuration");
		await Bun.write(join(place, ".env"), "NO_COLOR=1\nGOMAPGROW_TEST=from-dotenv\n");
		await Bun.write(join(place, "bunfig.toml"), 'preload = ["./preload.ts"]\n');
		await Bun.write(join(place, "preload.ts"), 'console.log("preloaded");\n');
		await Bun.write(join(place, "package.json"), "{ not json");
		await expectTrace(
			start(["env", "-i", "./gomapgrow", "run", "--json", "--", "./grow", "int", "2000"], { cwd: place }),
		);
		const version = start(["env", "-i", "./gomapgrow", "--version"], { cwd: place });
		await version.finish();
		expect(version.stdout).not.toContain("preloaded");
	},
	TIMEOUT,
);
