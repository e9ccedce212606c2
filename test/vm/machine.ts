/** Boots a kernel in QEMU with a small root of our own, runs the checks of guest/ in it and brings back what they wrote. */
import {
	chmodSync,
	copyFileSync,
	existsSync,
	mkdirSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { type Missing, missingCommands } from "../support/capability.ts";
import { run } from "../support/go-binaries.ts";

const GUEST = join(import.meta.dir, "guest");
const cache = process.env.GOMAPGROW_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "gomapgrow");

export type Arch = "x64" | "arm64";

/** A kernel is named by its series, "6.1", or by machine and series: "arm64/6.1". */
export function archOf(name: string): Arch {
	return name.startsWith("arm64/") ? "arm64" : "x64";
}

/** A kernel that kernels.sh has put into the cache. */
export interface Kernel {
	name: string;
	/** As uname -r says it. */
	release: string;
	image: string;
}

const QEMU = { x64: "qemu-system-x86_64", arm64: "qemu-system-aarch64" } as const;
/** Of libc6-arm64-cross. */
const ARM64_LIBRARIES = "/usr/aarch64-linux-gnu/lib";

/** What booting them needs from this machine; test/vm/packages.sh and kernels.sh bring it. */
export function missingForMachines(names: readonly string[]): Missing {
	if (process.arch !== "x64") return "other kernels are tested on x86-64 only";
	const absent = names.filter((each) => !existsSync(join(cache, "kernels", each, "release")));
	return (
		missingCommands(...new Set(names.map((name) => QEMU[archOf(name)])), "busybox", "cpio") ??
		(absent.length === 0 ? undefined : `no kernel ${absent.join(", ")}; make test-kernels fetches it`)
	);
}

/** Throws, naming the command that fetches it, when the kernel is missing. */
export function kernelOf(name: string): Kernel {
	const folder = join(cache, "kernels", name);
	try {
		const release = readFileSync(join(folder, "release"), "utf8").trim();
		return { name, release, image: join(folder, "vmlinuz") };
	} catch (cause) {
		throw new Error(`the kernel ${name} is missing in ${folder}; run: make test-kernels`, { cause });
	}
}

export interface RootFile {
	/** In the machine. */
	path: string;
	from: string;
}

/** Packs the root file system: busybox, the guest's scripts, and the files, with the libraries that they are linked with. */
export function packRoot(arch: Arch, files: readonly RootFile[], archive: string, checks = "checks.sh"): void {
	const folder = `${archive}.root`;
	rmSync(folder, { recursive: true, force: true });
	const put = (path: string, from: string): void => {
		const to = join(folder, path);
		mkdirSync(dirname(to), { recursive: true });
		// cpio follows the link: nothing is copied twice.
		symlinkSync(from, to);
	};
	for (const folders of ["dev", "proc", "sys"]) mkdirSync(join(folder, folders), { recursive: true });
	put(
		"bin/busybox",
		arch === "arm64" ? join(cache, "kernels/arm64/busybox") : (Bun.which("busybox") ?? "/bin/busybox"),
	);
	for (const [to, script] of [
		["init", "init"],
		["checks.sh", checks],
	] as const) {
		copyFileSync(join(GUEST, script), join(folder, to));
		chmodSync(join(folder, to), 0o755);
	}
	const libraries = new Map<string, string>();
	for (const { path, from } of files) {
		put(path, from);
		for (const [to, library] of arch === "arm64" ? arm64LibrariesOf(from) : librariesOf(from))
			libraries.set(to, library);
	}
	for (const [to, library] of libraries) put(to, library);
	run(["bash", "-c", 'cd "$1" && find -L . | cpio --quiet -o -L -H newc -R 0:0 -O "$2"', "pack", folder, archive]);
	rmSync(folder, { recursive: true });
}

/** Where the loader looks for each library, and where it is here; none for a static executable. */
function librariesOf(path: string): [string, string][] {
	const result = Bun.spawnSync(["ldd", path], { stderr: "ignore" });
	return [...result.stdout.toString().matchAll(/(\/\S+) \(0x/g)].map(([, library = ""]) => [library, library]);
}

function arm64LibrariesOf(path: string): [string, string][] {
	const { stdout } = Bun.spawnSync(["readelf", "-dW", path], { stderr: "ignore" });
	const needed = [...stdout.toString().matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, name = ""]) => name);
	return needed.map((name) => [`/lib/${name}`, join(ARM64_LIBRARIES, name)]);
}

export interface Outcome {
	/** What the checks left, by file name. */
	files: Map<string, string>;
	seconds: number;
}

/**
 * Boots the kernel and waits until the machine is off. `work` is a folder for what comes out of it; the kernel's messages stay
 * there. Throws with the last of them when the checks did not come to their end within the time.
 */
export async function boot(
	kernel: Kernel,
	archive: string,
	work: string,
	timeoutMs: number,
	kernelOptions = "",
): Promise<Outcome> {
	mkdirSync(work, { recursive: true });
	const file = join(work, kernel.name.replace("/", "-"));
	const [console, result] = [`${file}.console`, `${file}.tar.gz`];
	for (const each of [console, result]) writeFileSync(each, "");
	const begin = performance.now();
	const machine = Bun.spawn(
		[QEMU[archOf(kernel.name)], ...machineOptions(kernel, archive, console, result, kernelOptions)],
		{
			stdin: "ignore",
			stdout: "ignore",
			stderr: "pipe",
		},
	);
	const alarm = setTimeout(() => machine.kill("SIGKILL"), timeoutMs);
	const [code, complaints] = await Promise.all([machine.exited, new Response(machine.stderr).text()]);
	clearTimeout(alarm);
	const seconds = (performance.now() - begin) / 1000;
	const files = unpack(readFileSync(result));
	if (code !== 0 || !files.has("checks.code")) {
		const last = readFileSync(console, "utf8").trim().split("\n").slice(-15).join("\n");
		throw new Error(
			`${kernel.release}: no result after ${seconds.toFixed(1)} s (code ${code})\n${complaints}\n${last}`,
		);
	}
	return { files, seconds };
}

function machineOptions(
	{ name, image }: Kernel,
	archive: string,
	console: string,
	result: string,
	kernelOptions: string,
): string[] {
	const common = [
		...["-smp", "2", "-m", "1024", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
		...["-kernel", image, "-initrd", archive, "-serial", `file:${console}`],
	];
	// `result` becomes a variable of the first process.
	const commandLine = `panic=-1 oops=panic mitigations=off random.trust_cpu=on ${kernelOptions}`;
	if (archOf(name) === "arm64") {
		return [
			...["-accel", "tcg", "-machine", "virt", "-cpu", "cortex-a72", ...common],
			...["-chardev", `file,id=result,path=${result}`, "-device", "pci-serial,chardev=result"],
			...["-append", `console=ttyAMA0 ${commandLine} result=ttyS0`],
		];
	}
	return [
		// One thread: several of them do not survive the kernel's patching of its own code by breakpoints.
		...["-accel", "tcg,thread=single"],
		// Without what QEMU 7.2 emulates wrongly (cmpxchg16b spoils flags) or slowly (page tables of five levels).
		...["-machine", "q35", "-cpu", "max,la57=off,cx16=off", ...common],
		...["-serial", `file:${result}`],
		...["-append", `console=ttyS0 ${commandLine} reboot=t no_timer_check tsc=reliable result=ttyS1`],
	];
}

/** The files of a compressed tar archive; none when it is cut off. */
function unpack(archive: Uint8Array): Map<string, string> {
	const list = Bun.spawnSync(["tar", "-tzf", "-"], { stdin: archive, stderr: "ignore" });
	if (!list.success) return new Map();
	const names = list.stdout
		.toString()
		.split("\n")
		.filter((name) => /^\.\/[\w.-]+$/.test(name));
	return new Map(
		names.map((name) => {
			const { stdout } = Bun.spawnSync(["tar", "-xzf", "-", "-O", name], { stdin: archive, stderr: "ignore" });
			return [name.slice(2), stdout.toString()];
		}),
	);
}
