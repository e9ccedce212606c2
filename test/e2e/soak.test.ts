/** Processes come and go each second, one has thousands of goroutines and hundreds of types: nothing grows. bench/soak.ts takes half an hour of it. */
import { expect } from "bun:test";
import { missingForTracing, testWith } from "../support/capability.ts";
import { temporaryFolder } from "../support/processes.ts";
import { slopePerMinute, soak } from "../support/soak.ts";

const SECONDS = 75;
/** Until the tables and caches have what they come to hold. */
const WARM_UP_SECONDS = 25;

testWith(missingForTracing())(
	"memory, descriptors and tables stay as they are",
	async () => {
		const folder = temporaryFolder("soak");
		const { samples, processes, exit, stderr } = await soak({
			...{ seconds: SECONDS, everySeconds: 2, goroutines: 3000, types: 300, folder },
		});
		expect(exit.code).toBe(0);
		expect(stderr).toMatch(/^ledger: /m);
		expect(processes).toBeGreaterThan(10);
		const warm = samples.filter(({ seconds }) => seconds >= WARM_UP_SECONDS);
		expect(warm.length).toBeGreaterThanOrEqual(3);
		const slope = {
			bytes: slopePerMinute(warm, ({ bytes }) => bytes),
			descriptors: slopePerMinute(warm, ({ descriptors }) => descriptors),
			entries: slopePerMinute(warm, ({ entries }) => entries),
		};
		const last = warm.at(-1);
		console.log(
			`soak, a minute: memory ${(slope.bytes / 2 ** 20).toFixed(1)} MiB of ${((last?.bytes ?? 0) / 2 ** 20).toFixed(0)}, ` +
				`descriptors ${slope.descriptors.toFixed(1)} of ${last?.descriptors}, entries ${slope.entries.toFixed(0)} of ${last?.entries}`,
		);
		// Each of the processes has its probes, rows and open file: one that stayed behind a second would be seen in both.
		expect(slope.descriptors).toBeLessThan(20);
		expect(last?.entries).toBeGreaterThan(100);
		expect(slope.entries).toBeLessThan(0.2 * (last?.entries ?? 0));
		// What JavaScript holds rises for minutes between its collections: here the ceiling counts, the slope in bench/soak.ts.
		expect(Math.max(...samples.map(({ bytes }) => bytes))).toBeLessThan(256 << 20);
	},
	(SECONDS + 120) * 1000,
);
