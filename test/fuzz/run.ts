/** `make fuzz`: FUZZ_SECONDS (300), FUZZ_SEED (by the clock), FUZZ_CASE (one case of the seed). Ends with 1 when anything forbidden happened. */
import { fuzz } from "./driver.ts";

function setting(name: string, otherwise: number): number {
	const text = process.env[name];
	const value = text === undefined || text === "" ? otherwise : Number(text);
	if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${name}: wanted a whole number, found "${text}"`);
	return value;
}

const seed = setting("FUZZ_SEED", Math.floor(Date.now() / 1000) % 1_000_000);
const only = setting("FUZZ_CASE", -1 >>> 0);
const single = process.env.FUZZ_CASE !== undefined && process.env.FUZZ_CASE !== "";
console.log(`seed ${seed}${single ? `, case ${only}` : ""}`);
const result = await fuzz(
	{ which: "all", seed, seconds: setting("FUZZ_SECONDS", 300), ...(single ? { first: only, cases: 1 } : {}) },
	({ index, what, violations }) => {
		console.log(`\ncase ${index}, ${what}\n\t${violations.slice(0, 5).join("\n\t")}`);
		console.log(`\tagain: make fuzz FUZZ_SEED=${seed} FUZZ_CASE=${index}`);
	},
);
const { cases, opened, calls, refused, slowest, peakMiB, failures } = result;
console.log(
	`\n${cases} damaged programs, ${opened} still taken for Go; ${calls} calls, ${refused} refused with an error; ` +
		`slowest ${slowest.ms.toFixed(0)} ms (${slowest.call}, case ${slowest.index}); most memory ${peakMiB.toFixed(0)} MiB; ` +
		`${failures.length} cases failed`,
);
process.exitCode = failures.length > 0 ? 1 : 0;
