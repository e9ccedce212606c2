/** Go executables that claim another Go version than the one that built them. */
import { readFileSync } from "node:fs";

/** The file at `path` with its Go version, as long as `version`, replaced in the build information (Go 1.18+: strings inline). */
export function withVersion(path: string, version: string): Uint8Array {
	const bytes = Buffer.from(readFileSync(path));
	const blob = bytes.indexOf(Buffer.from("\xff Go buildinf:", "latin1"));
	const length = bytes[blob + 32];
	if (blob < 0 || length !== version.length) {
		throw new Error(`no version of ${version.length} bytes in ${path}, but of ${length}`);
	}
	bytes.write(version, blob + 33, "latin1");
	// Not a Buffer, whose slices share memory.
	return Uint8Array.from(bytes);
}
