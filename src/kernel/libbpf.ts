/**
 * The bundled library: libbpf (1.5) and the gmg_* functions of `native/`, loaded through a file in memory so that nothing is
 * left on disk and a noexec temporary folder does not matter. GOMAPGROW_LIBBPF names another library to load instead.
 */
import { dlopen, type Pointer } from "bun:ffi";
import { closeSync, readFileSync, writeSync } from "node:fs";
import { GomapgrowError } from "../errors/error.ts";
import { libraryPath } from "./embedded.ts";
import { errnoName } from "./errno.ts";
import { memfdCreate } from "./libc.ts";

const SYMBOLS = {
	// libbpf.h
	libbpf_set_print: { args: ["ptr"], returns: "ptr" },
	libbpf_num_possible_cpus: { args: [], returns: "i32" },
	bpf_object__open_mem: { args: ["ptr", "u64", "ptr"], returns: "ptr" },
	bpf_object__load: { args: ["ptr"], returns: "i32" },
	bpf_object__close: { args: ["ptr"], returns: "void" },
	bpf_object__find_map_by_name: { args: ["ptr", "cstring"], returns: "ptr" },
	bpf_object__find_program_by_name: { args: ["ptr", "cstring"], returns: "ptr" },
	bpf_map__fd: { args: ["ptr"], returns: "i32" },
	bpf_map__set_initial_value: { args: ["ptr", "ptr", "u64"], returns: "i32" },
	bpf_map__set_max_entries: { args: ["ptr", "u32"], returns: "i32" },
	bpf_program__fd: { args: ["ptr"], returns: "i32" },
	bpf_program__set_autoload: { args: ["ptr", "bool"], returns: "i32" },
	bpf_program__set_expected_attach_type: { args: ["ptr", "u32"], returns: "i32" },
	bpf_program__set_log_buf: { args: ["ptr", "ptr", "u64"], returns: "i32" },
	bpf_program__set_log_level: { args: ["ptr", "u32"], returns: "i32" },
	bpf_program__attach_uprobe_multi: { args: ["ptr", "i32", "cstring", "ptr", "ptr"], returns: "ptr" },
	bpf_program__attach_uprobe_opts: { args: ["ptr", "i32", "cstring", "u64", "ptr"], returns: "ptr" },
	bpf_program__attach_raw_tracepoint: { args: ["ptr", "cstring"], returns: "ptr" },
	bpf_link__destroy: { args: ["ptr"], returns: "i32" },
	bpf_link__disconnect: { args: ["ptr"], returns: "void" },
	bpf_link__fd: { args: ["ptr"], returns: "i32" },
	// btf.h
	btf__parse_raw: { args: ["cstring"], returns: "ptr" },
	btf__free: { args: ["ptr"], returns: "void" },
	btf__find_by_name_kind: { args: ["ptr", "cstring", "u32"], returns: "i32" },
	btf__type_by_id: { args: ["ptr", "u32"], returns: "ptr" },
	btf__name_by_offset: { args: ["ptr", "u32"], returns: "ptr" },
	// bpf.h
	bpf_map_create: { args: ["u32", "ptr", "u32", "u32", "u32", "ptr"], returns: "i32" },
	bpf_prog_load: { args: ["u32", "ptr", "cstring", "ptr", "u64", "ptr"], returns: "i32" },
	bpf_link_create: { args: ["i32", "i32", "u32", "ptr"], returns: "i32" },
	bpf_map_lookup_elem: { args: ["i32", "ptr", "ptr"], returns: "i32" },
	bpf_map_lookup_batch: { args: ["i32", "ptr", "ptr", "ptr", "ptr", "ptr", "ptr"], returns: "i32" },
	bpf_map_delete_elem: { args: ["i32", "ptr"], returns: "i32" },
	bpf_map_update_elem: { args: ["i32", "ptr", "ptr", "u64"], returns: "i32" },
	// native/*.c
	gmg_keep_user_reads: { args: [], returns: "i32" },
	gmg_perf_refused: { args: [], returns: "i32" },
	gmg_ring_open: { args: ["i32", "u32"], returns: "ptr" },
	gmg_ring_close: { args: ["ptr"], returns: "void" },
	gmg_ring_drain: { args: ["ptr", "ptr", "u32"], returns: "i32" },
	gmg_spawn_held: { args: ["cstring", "ptr", "u32", "u32", "i32", "u64", "ptr"], returns: "i32" },
	gmg_spawn_release: { args: ["ptr"], returns: "i32" },
	gmg_spawn_abandon: { args: ["ptr"], returns: "void" },
	gmg_wait: { args: ["i32", "ptr"], returns: "i32" },
	gmg_sample_threads: { args: ["ptr", "u32", "u32", "u32", "ptr", "ptr", "ptr"], returns: "void" },
	gmg_open_migration_counter: { args: ["i32"], returns: "i32" },
	gmg_open_uprobe_counter: { args: ["u32", "cstring", "u64", "i32", "i32"], returns: "i32" },
	gmg_read_counters: { args: ["ptr", "u32", "ptr"], returns: "i32" },
	gmg_read_memory: { args: ["i32", "ptr", "u32", "ptr", "ptr"], returns: "i32" },
	gmg_widen_pipe: { args: ["i32", "i32"], returns: "void" },
	gmg_calibrate: { args: ["u32", "u64", "ptr", "ptr", "ptr"], returns: "void" },
	gmg_calibration_address: { args: ["u32"], returns: "u64" },
	gmg_calibration_site: { args: ["u32"], returns: "u64" },
	gmg_close_later: { args: ["i32", "ptr"], returns: "i32" },
	gmg_closed: { args: ["ptr", "i32"], returns: "i32" },
	gmg_watchman: { args: ["ptr"], returns: "i32" },
	gmg_write_some: { args: ["i32", "ptr", "u32"], returns: "i64" },
} as const;

function open(path: string) {
	return dlopen(path, SYMBOLS);
}
export type Libbpf = ReturnType<typeof open>["symbols"];

let loaded: { library: Libbpf; path: string } | undefined;

/** The file stays open: the library is probed through its path when the cost of a hit is measured. */
function loadFromMemory(): { library: Libbpf; path: string } {
	const bytes = readFileSync(libraryPath);
	const fd = memfdCreate("gomapgrow-libbpf");
	if (fd < 0) throw new Error(`memfd_create: ${errnoName(fd)}`);
	try {
		for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
		const path = `/proc/self/fd/${fd}`;
		return { library: open(path).symbols, path };
	} catch (error) {
		closeSync(fd);
		throw error;
	}
}

function load(): { library: Libbpf; path: string } {
	if (loaded) return loaded;
	const replacement = process.env.GOMAPGROW_LIBBPF;
	try {
		loaded = replacement ? { library: open(replacement).symbols, path: replacement } : loadFromMemory();
		// libbpf prints to standard error by default: what went wrong is said by our own errors.
		loaded.library.libbpf_set_print(null);
		return loaded;
	} catch (cause) {
		throw new GomapgrowError("E-HOST-LIBBPF", {
			wanted: replacement
				? `libbpf and the gmg_* functions in ${replacement} (GOMAPGROW_LIBBPF)`
				: "to load the bundled libbpf",
			found: cause instanceof Error ? cause.message : String(cause),
			...(replacement
				? { mend: "unset GOMAPGROW_LIBBPF" }
				: { advice: "use a glibc-based Linux, 2.22 or newer, with /proc mounted" }),
			cause,
		});
	}
}

/** The library, loaded on first use. Throws E-HOST-LIBBPF when it cannot be. */
export function libbpf(): Libbpf {
	return load().library;
}

/** How many processors the kernel keeps a value for in its per-CPU maps. Throws E-HOST-OS. */
export function possibleCpus(lib: Libbpf): number {
	const count = lib.libbpf_num_possible_cpus();
	if (count > 0) return count;
	throw new GomapgrowError("E-HOST-OS", {
		wanted: "to read /sys/devices/system/cpu/possible",
		found: errnoName(count),
		mend: "mount -t sysfs sysfs /sys",
	});
}

/** A path under which this process can open the library's file. */
export function libbpfPath(): string {
	return load().path;
}

/** Descriptor of a file in memory with the library, to be executed (native/watchman.c), or -errno. */
export function executableLibrary(): number {
	const bytes = readFileSync(process.env.GOMAPGROW_LIBBPF || libraryPath);
	const fd = memfdCreate("gomapgrow-watch", true);
	if (fd < 0) return fd;
	try {
		for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
		return fd;
	} catch (error) {
		closeSync(fd);
		throw error;
	}
}

/** A pointer that an FFI call returned; bun:ffi types it wider than the 64-bit ABIs need. */
export function pointerOrNull(value: Pointer | bigint | null): Pointer | null {
	return typeof value === "bigint" ? (Number(value) as Pointer) : value;
}

/** A NUL-terminated string for a `cstring` argument. */
export function cstring(text: string): Buffer {
	return Buffer.from(`${text}\0`);
}
