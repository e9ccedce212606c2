import type { DwarfFile } from "../dwarf/dwarf-file.ts";

/** How the Go compiler was told to compile; absent fields are not known. */
export interface Compilation {
	/** False when some package was compiled with -N. */
	optimized?: boolean;
	/** False when some package was compiled with -l. */
	inlining?: boolean;
	/** Numbers of packages, which only DWARF knows. */
	packages?: { total: number; unoptimized: number; uninlined: number };
}

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
	// "all=-N -l": a pattern of packages may stand before the first flag.
	const flags = (settings.get("-gcflags") ?? "").split(/\s+/).map((flag) => flag.replace(/^[^-=]+=/, ""));
	return { optimized: !flags.includes("-N"), inlining: !flags.includes("-l") };
}
