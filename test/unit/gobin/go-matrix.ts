import { type GoBinary, openGoBinary } from "../../../src/gobin/go-binary.ts";
import { fileSource, GO_VERSIONS, type GoBuildOptions, goBuild } from "../../support/go-binaries.ts";

export interface MatrixEntry {
	what: string;
	minor: number;
	options: GoBuildOptions;
	path: string;
	/** The same build with its symbol table, for tools that need one; code and addresses are the same. */
	withSymbols: string;
	binary: GoBinary;
}

const WITH_ALL_BUILDS = new Set(["1.19", "1.23", "1.24", "1.27"]);

function entry(kind: string, options: GoBuildOptions): MatrixEntry {
	const { ldflags: _ldflags, strip: _strip, ...unstripped } = options;
	const path = goBuild(options);
	return {
		what: `${options.version} ${kind}`,
		minor: Number(options.version.split(".")[1]),
		options,
		path,
		withSymbols: goBuild(unstripped),
		binary: openGoBinary(fileSource(path)),
	};
}

/** The builds of test/programs/chains that the readers are tested with. */
export const MATRIX: MatrixEntry[] = GO_VERSIONS.flatMap((version) => {
	const base = { version, program: "chains" } as const;
	const builds = [entry("plain", base), entry("-s -w", { ...base, ldflags: "-s -w" })];
	if (WITH_ALL_BUILDS.has(version)) {
		builds.push(entry("pie", { ...base, buildmode: "pie" }));
		builds.push(entry("cgo", { ...base, cgo: true }));
		builds.push(entry("cgo pie stripped", { ...base, buildmode: "pie", cgo: true, strip: true }));
	}
	if (version === "1.24") {
		builds.push(entry("noswissmap", { ...base, experiment: "noswissmap", ldflags: "-s -w" }));
	}
	return builds;
});

/** Reads an entry's file anew, so that nothing is cached. */
export function reopen(entry: MatrixEntry): GoBinary {
	return openGoBinary(fileSource(entry.path));
}

/** For test.each: the name first. */
export const MATRIX_ROWS = MATRIX.map((entry): [string, MatrixEntry] => [entry.what, entry]);
