/** Whether a file is a Go program, and whether its maps could be watched. */
import type { ByteSource } from "../elf/byte-source.ts";
import { openElf } from "../elf/elf-file.ts";
import { GomapgrowError } from "../errors/error.ts";
import { BUILD_INFO_SECTION } from "../gobin/buildinfo/build-info.ts";
import { identifyGoProgram, type MapImpl, openGoProgram } from "../gobin/go-binary.ts";
import { PCLNTAB_SECTIONS } from "../gobin/pclntab/locate.ts";
import { requireArchitecture } from "../plan/architecture.ts";
import { requirePlannable } from "../plan/make-plan.ts";

/** A Go program. */
export interface LookedAt {
	/** Absent when only its age is known. */
	goVersion?: string;
	mapImpl?: MapImpl;
	/** Why it cannot be watched. */
	why?: string;
}

const GO_SECTIONS: readonly string[] = [BUILD_INFO_SECTION, ...PCLNTAB_SECTIONS];
/**
 * A larger file that has sections, but none of Go's, is not searched for a Go program without them: that takes milliseconds for
 * each megabyte, and browsers and databases have hundreds.
 */
const MAX_SEARCHED_BYTES = 32 << 20;

/** Undefined for what is no Go program. `machine`: in Go's spelling. Throws E-IO. */
export function lookAtProgram(source: ByteSource, machine: string): LookedAt | undefined {
	const looked: LookedAt = {};
	try {
		const elf = openElf(source);
		const searched = source.size <= MAX_SEARCHED_BYTES || elf.sections.length === 0;
		if (!searched && GO_SECTIONS.every((name) => elf.section(name) === undefined)) return undefined;
		const program = identifyGoProgram(source);
		looked.goVersion = program.version.raw;
		const binary = openGoProgram(program);
		requireArchitecture(binary, machine);
		const { mapImpl } = binary;
		if (mapImpl !== undefined) looked.mapImpl = mapImpl;
		requirePlannable(binary);
		return looked;
	} catch (error) {
		if (!(error instanceof GomapgrowError && error.code.startsWith("E-BIN-"))) throw error;
		const isGo = looked.goVersion !== undefined || error.code === "E-BIN-GO-OLD";
		return isGo ? { ...looked, why: error.found } : undefined;
	}
}
