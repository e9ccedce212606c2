import type { DwarfFile } from "../../dwarf/dwarf-file.ts";

/** How the Go compiler was told to compile; absent fields are not known. */
export interface Compilation {
	/** False when some package was compiled with -N. */
	optimized?: boolean;
	/** False when some package was compiled with -l. */
	inlining?: boolean;
	/** Numbers of packages, which only DWARF knows. */
	packages?: { total: number; unoptimized: number; uninlined: number };
	/** Which packages -N or -l were given for, when the build settings alone tell and it was not for all. */
	flagged?: string;
}

/** What -gcflags without a pattern is for (go help build). */
const NAMED = "the packages named to go build";

/**
 * From the producers in DWARF, else from the build settings, which have -gcflags since Go 1.18 when it was given. Throws
 * E-BIN-MALFORMED for damaged DWARF.
 */
export function compilationOf(settings: ReadonlyMap<string, string>, dwarf: DwarfFile | undefined): Compilation {
	const packages = { total: 0, unoptimized: 0, uninlined: 0 };
	for (const { producer } of dwarf?.goUnits() ?? []) {
		// "Go cmd/compile go1.22.12; -N -l regabi"; units of assembly code have another producer.
		const [compiler = "", ...flags] = producer.split(/[; ]+(?=-|regabi|$)/);
		if (!compiler.startsWith("Go cmd/compile")) {
			continue;
		}
		packages.total++;
		packages.unoptimized += Number(flags.includes("-N"));
		packages.uninlined += Number(flags.includes("-l"));
	}
	if (packages.total > 0) {
		return { optimized: packages.unoptimized === 0, inlining: packages.uninlined === 0, packages };
	}
	if (settings.size === 0) {
		return {};
	}
	// "all=-N -l": a pattern of packages may stand before the first flag (cmd/go/internal/load/flag.go, PerPackageFlag.Set).
	const [, pattern, rest = ""] = /^\s*(?:([^-=\s][^=]*)=)?(.*)$/s.exec(settings.get("-gcflags") ?? "") ?? [];
	const flags = rest.split(/\s+/);
	const [optimized, inlining] = [!flags.includes("-N"), !flags.includes("-l")];
	const flagged = (optimized && inlining) || pattern === "all" ? undefined : (pattern ?? NAMED);
	return { optimized, inlining, ...(flagged === undefined ? {} : { flagged }) };
}
