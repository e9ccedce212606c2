/**
 * symbolize-speed [EXE]: addresses per second from address to frames (functions, files, lines, inlined calls); without an executable of a
 * large generated program. Cold: addresses anywhere in a program that was just opened. Warm: the same tables, that is, functions that
 * were seen before, but a million distinct addresses none of which was. Medians of five, by the clock and by the time that the
 * processor worked for it, which a busy machine disturbs less.
 */
import { type GoBinary, openGoBinary } from "../src/gobin/go-binary.ts";
import { openFileBytes } from "../src/process/file-bytes.ts";
import { Prng } from "../test/support/prng.ts";
import { bigProgram } from "./lib/big-program.ts";
import { median } from "./lib/median.ts";

const ROUNDS = 5;
const WARM = 1_000_000;
/** One address in four warms. */
const STEP = 4;
const COLD = 20_000;

const path = process.argv[2] ?? bigProgram(210, "1.27", "stripped").path;

interface Round {
	perSecond: number;
	perCpuSecond: number;
	/** Per address. */
	frames: number;
}

function withProgram<T>(use: (binary: GoBinary) => T): T {
	const file = openFileBytes(path);
	try {
		const binary = openGoBinary(file);
		// Finds the tables, so that no round pays for that.
		binary.functionAt(binary.moduleData.minpc);
		return use(binary);
	} finally {
		file.close();
	}
}

function shuffled(addresses: Float64Array, random: Prng): Float64Array {
	for (let index = addresses.length - 1; index > 0; index--) {
		const other = random.below(index + 1);
		const value = addresses[index] as number;
		addresses[index] = addresses[other] as number;
		addresses[other] = value;
	}
	return addresses;
}

function measure(binary: GoBinary, addresses: Float64Array): Round {
	let frames = 0;
	const startedCpu = processorMs();
	const started = performance.now();
	for (const address of addresses) frames += binary.symbolize(address).length;
	const ms = performance.now() - started;
	const cpuMs = processorMs() - startedCpu;
	if (frames < addresses.length) throw new Error("addresses without frames");
	return {
		perSecond: (addresses.length / ms) * 1000,
		perCpuSecond: (addresses.length / cpuMs) * 1000,
		frames: frames / addresses.length,
	};
}

/** Of this thread alone: without those that compile and collect for it meanwhile. */
function processorMs(): number {
	const { user, system } = process.threadCpuUsage();
	return (user + system) / 1000;
}

function cold(random: Prng): Round {
	return withProgram((binary) => {
		const { minpc, maxpc } = binary.moduleData;
		const distinct = new Set<number>();
		while (distinct.size < COLD) distinct.add(minpc + random.below(maxpc - minpc));
		return measure(binary, Float64Array.from(distinct));
	});
}

/** Addresses side by side, in no order: those at `STEP` distance first, then all others. */
function warm(random: Prng): Round {
	return withProgram((binary) => {
		const { minpc, maxpc } = binary.moduleData;
		const span = (WARM / (STEP - 1)) * STEP;
		if (maxpc - minpc < span) throw new Error(`the program has less than ${span} bytes of Go code`);
		const start = minpc + random.below(maxpc - minpc - span);
		const offsets = Float64Array.from({ length: span }, (_, index) => index);
		measure(
			binary,
			shuffled(
				offsets.filter((offset) => offset % STEP === 0).map((offset) => start + offset),
				random,
			),
		);
		return measure(
			binary,
			shuffled(
				offsets.filter((offset) => offset % STEP !== 0).map((offset) => start + offset),
				random,
			),
		);
	});
}

function report(what: string, round: (random: Prng) => Round): void {
	const rounds = Array.from({ length: ROUNDS }, (_, seed) => round(new Prng(seed)));
	const rate = (of: (round: Round) => number): string => Math.round(median(rounds.map(of))).toLocaleString("en");
	const [perSecond, perCpuSecond] = [rate((one) => one.perSecond), rate((one) => one.perCpuSecond)];
	const frames = median(rounds.map((one) => one.frames));
	console.log(`${what}: ${perSecond} addresses/s, ${perCpuSecond} by processor time, ${frames.toFixed(2)} frames each`);
}

const { code, version } = withProgram((binary) => {
	const { minpc, maxpc } = binary.moduleData;
	return { code: maxpc - minpc, version: binary.version.raw };
});
console.log(`${path}: ${version}, ${(code / 1e6).toFixed(0)} MB of Go code`);
report(`cold, ${COLD.toLocaleString("en")} anywhere`, cold);
report(`warm, ${WARM.toLocaleString("en")} distinct`, warm);
