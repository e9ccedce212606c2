/**
 * The files of a Go overlay (go build -overlay): copies of sources that take the place of the toolchain's own, and new ones. The toolchain
 * itself stays as it is.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export class OverlayFiles {
	readonly #goroot: string;
	readonly #sources = new Map<string, string>();

	constructor(goroot: string) {
		this.#goroot = goroot;
	}

	/** Import path of the runtime's atomic operations: another one since Go 1.23. */
	get atomicPackage(): string {
		const path = "internal/runtime/atomic";
		return existsSync(join(this.#goroot, "src", path)) ? path : "runtime/internal/atomic";
	}

	/** A source as it is by now; `path` is below GOROOT. */
	read(path: string): string {
		return this.#sources.get(path) ?? readFileSync(join(this.#goroot, path), "utf8");
	}

	set(path: string, source: string): void {
		this.#sources.set(path, source);
	}

	/** Writes everything into `folder` (created) and returns the path of the JSON file, for `go build -overlay FILE`. */
	write(folder: string): string {
		mkdirSync(folder, { recursive: true });
		const replace: Record<string, string> = {};
		for (const [path, source] of this.#sources) {
			const copy = join(folder, path.replaceAll("/", "_"));
			writeFileSync(copy, source);
			replace[join(this.#goroot, path)] = copy;
		}
		const json = join(folder, "overlay.json");
		writeFileSync(json, JSON.stringify({ Replace: replace }, null, "\t"));
		return json;
	}
}
