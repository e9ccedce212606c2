/**
 * bench/soak.ts [MINUTES] [GOROUTINES] [TYPES]: half an hour of watching processes that come and go each second. Prints what the tool uses as it goes, and the
 * slopes after the first fifth of the time.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Sample, slopePerMinute, soak } from "../test/support/soak.ts";

const [minutes = "30", goroutines = "5000", types = "500"] = process.argv.slice(2);
const seconds = Number(minutes) * 60;
const folder = mkdtempSync(join(tmpdir(), "gomapgrow-bench-"));
const MIB = 2 ** 20;
try {
	console.log("   time   memory  descriptors  table entries");
	const { samples, processes, exit, stderr } = await soak({
		...{
			seconds,
			everySeconds: Math.max(2, seconds / 60),
			goroutines: Number(goroutines),
			types: Number(types),
			folder,
		},
		onSample: ({ seconds: at, bytes, descriptors, entries }) => {
			const columns = [`${at.toFixed(0)} s`.padStart(7), `${(bytes / MIB).toFixed(0)} MiB`.padStart(8)];
			console.log(`${columns.join(" ")} ${String(descriptors).padStart(12)} ${String(entries).padStart(14)}`);
		},
	});
	const warm = samples.filter(({ seconds: at }) => at >= seconds / 5);
	const slope = (value: (sample: Sample) => number): number => slopePerMinute(warm, value);
	console.log(
		`a minute: memory ${(slope(({ bytes }) => bytes) / MIB).toFixed(3)} MiB, descriptors ${slope((s) => s.descriptors).toFixed(3)}, entries ${slope((s) => s.entries).toFixed(2)}`,
	);
	console.log(`${processes} processes came and went; exit code ${exit.code}`);
	console.log(
		stderr
			.trim()
			.split("\n")
			.findLast((line) => line.startsWith("ledger")) ?? "no ledger",
	);
} finally {
	rmSync(folder, { recursive: true, force: true });
}
