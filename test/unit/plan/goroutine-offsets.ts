import type { GoroutineOffsets } from "../../../src/plan/probe-plan.ts";

/**
 * Where runtime.g and runtime.m have what the kernel programs read, by release: as `readelf --debug-dump=info` shows it for a program built with each
 * toolchain (go1.15.15, 1.19.8, 1.21.13, 1.22.12, 1.23.5, 1.24.4, 1.25.12, 1.26.11, 1.27.3).
 */
export const GOROUTINE_OFFSETS: Readonly<Record<string, GoroutineOffsets>> = {
	"1.15": { goid: 152, gopc: 280, startpc: 296, curg: 192 },
	"1.19": { goid: 152, gopc: 296, startpc: 312, curg: 192 },
	"1.21": { goid: 152, parentGoid: 272, gopc: 280, startpc: 296, curg: 192 },
	"1.22": { goid: 152, parentGoid: 272, gopc: 280, startpc: 296, curg: 192 },
	"1.23": { goid: 160, parentGoid: 280, gopc: 288, startpc: 304, curg: 192 },
	"1.24": { goid: 160, parentGoid: 280, gopc: 288, startpc: 304, curg: 192 },
	"1.25": { goid: 152, parentGoid: 272, gopc: 280, startpc: 296, curg: 184 },
	"1.26": { goid: 152, parentGoid: 280, gopc: 288, startpc: 304, curg: 184 },
	"1.27": { goid: 152, parentGoid: 280, gopc: 288, startpc: 304, curg: 184 },
};

/** Throws for a release without a toolchain. */
export function goroutineOffsets(version: string): GoroutineOffsets {
	const offsets = GOROUTINE_OFFSETS[version];
	if (offsets === undefined) throw new Error(`no offsets of Go ${version}`);
	return offsets;
}
