/** Loads the BPF object and owns everything in it. Order of release: links (their owners), ring, object. */
import type { Pointer } from "bun:ffi";
import { readFileSync } from "node:fs";
import { GomapgrowError } from "../errors/error.ts";
import { objectPath } from "./embedded.ts";
import { ERRNO, errnoName } from "./errno.ts";
import { type AttachMode, BPF_TRACE_UPROBE_MULTI } from "./features.ts";
import { cstring, type Libbpf, libbpf, pointerOrNull } from "./libbpf.ts";
import { errno } from "./libc.ts";
import { ADDRESS_KEY, SITE } from "./wire.ts";

export type ProgramName = "growth" | "work";
const PROGRAMS: readonly ProgramName[] = ["growth", "work"];
export type MapName = "sites" | "site_addresses" | "site_counts" | "work_rows" | "growths";

const LOG_BYTES = 64 << 10;

/** What the kernel program has to know about one site; see struct gmg_site. */
export interface SiteConfig {
	role: number;
	goidOffset: number;
	argsOnStack: boolean;
	gInRcx: boolean;
	callerDepth: number;
}

function loadError(code: number, log: string): GomapgrowError {
	const found = `${errnoName(code)}${log === "" ? "" : `: ${log}`}`;
	if (code === -ERRNO.EPERM || code === -ERRNO.EACCES) {
		return new GomapgrowError("E-HOST-CAPS", {
			wanted: "to load a BPF program",
			found,
			mend: "run as root, or with CAP_BPF and CAP_PERFMON; check `sysctl kernel.unprivileged_bpf_disabled`, the kernel's lockdown mode and the container's seccomp profile",
		});
	}
	return new GomapgrowError("E-HOST-BPF", { wanted: "to load the BPF programs", found, mend: "gomapgrow doctor" });
}

export class BpfObject {
	readonly mode: AttachMode;
	readonly #lib: Libbpf = libbpf();
	// libbpf keeps pointing into the image until the object is loaded, and into the logs until it is closed.
	readonly #image: Uint8Array;
	readonly #logs: Uint8Array[] = [];
	#object: Pointer | null;

	/** Loads the programs for `mode`. Throws E-HOST-CAPS or E-HOST-BPF with the verifier's last words. */
	constructor(mode: AttachMode) {
		this.mode = mode;
		const file = readFileSync(objectPath);
		this.#image = new Uint8Array(new ArrayBuffer(file.length));
		this.#image.set(file);
		this.#object = pointerOrNull(this.#lib.bpf_object__open_mem(this.#image, this.#image.length, null));
		if (this.#object === null) throw loadError(-errno(), "");
		for (const name of PROGRAMS) {
			const program = this.program(name);
			if (mode === "multi") this.#lib.bpf_program__set_expected_attach_type(program, BPF_TRACE_UPROBE_MULTI);
			const log = new Uint8Array(new ArrayBuffer(LOG_BYTES));
			this.#logs.push(log);
			this.#lib.bpf_program__set_log_buf(program, log, LOG_BYTES);
		}
		this.#setConstant(mode === "perf-address" ? 1 : 0);
		const code = this.#lib.bpf_object__load(this.#object);
		if (code !== 0) {
			const log = this.#logs.map((bytes) =>
				Buffer.from(bytes.subarray(0, bytes.indexOf(0)))
					.toString("utf8")
					.trim(),
			);
			this.close();
			throw loadError(
				code,
				log
					.filter((text) => text !== "")
					.map((text) => text.split("\n").slice(-3).join(" | "))
					.join(" || "),
			);
		}
	}

	/** `site_by_address`, the only constant of the program's .rodata. */
	#setConstant(siteByAddress: number): void {
		const map = this.#lib.bpf_object__find_map_by_name(this.#object, cstring(".rodata"));
		const value = new Uint32Array(new ArrayBuffer(4));
		value[0] = siteByAddress;
		const code = map === null ? -ERRNO.ENOENT : this.#lib.bpf_map__set_initial_value(map, value, 4);
		if (code !== 0) throw loadError(code, "site_by_address in .rodata");
	}

	program(name: ProgramName): Pointer {
		const program = pointerOrNull(this.#lib.bpf_object__find_program_by_name(this.#object, cstring(name)));
		if (program === null)
			throw new GomapgrowError("E-INTERNAL", {
				wanted: `a BPF program "${name}"`,
				found: "none in the embedded object",
			});
		return program;
	}

	mapFd(name: MapName): number {
		const map = this.#lib.bpf_object__find_map_by_name(this.#object, cstring(name));
		if (map === null)
			throw new GomapgrowError("E-INTERNAL", { wanted: `a BPF map "${name}"`, found: "none in the embedded object" });
		return this.#lib.bpf_map__fd(map);
	}

	#update(map: MapName, key: Uint8Array, value: Uint8Array): void {
		const code = this.#lib.bpf_map_update_elem(this.mapFd(map), key, value, 0);
		if (code !== 0)
			throw new GomapgrowError("E-HOST-BPF", { wanted: `to write the BPF map "${map}"`, found: errnoName(code) });
	}

	/** Tells the program what site number `index` means; before it is attached. */
	configureSite(index: number, config: SiteConfig): void {
		const key = new Uint8Array(new ArrayBuffer(4));
		new DataView(key.buffer).setUint32(0, index, true);
		const value = new Uint8Array(new ArrayBuffer(SITE.size));
		const view = new DataView(value.buffer);
		view.setUint32(SITE.role, config.role, true);
		view.setUint32(SITE.goidOffset, config.goidOffset, true);
		view.setUint8(SITE.argsOnStack, config.argsOnStack ? 1 : 0);
		view.setUint8(SITE.gInRcx, config.gInRcx ? 1 : 0);
		view.setUint8(SITE.callerDepth, config.callerDepth);
		this.#update("sites", key, value);
	}

	/** Mode "perf-address": the run-time address at which a process hits a site. */
	mapAddress(pid: number, address: number, index: number): void {
		const key = new Uint8Array(new ArrayBuffer(ADDRESS_KEY.size));
		const view = new DataView(key.buffer);
		view.setBigUint64(ADDRESS_KEY.ip, BigInt(address), true);
		view.setBigUint64(ADDRESS_KEY.tgid, BigInt(pid), true);
		const value = new Uint8Array(new ArrayBuffer(4));
		new DataView(value.buffer).setUint32(0, index, true);
		this.#update("site_addresses", key, value);
	}

	close(): void {
		if (this.#object === null) return;
		this.#lib.bpf_object__close(this.#object);
		this.#object = null;
	}
}
