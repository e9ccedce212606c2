/** Probabilities of how entries fall into buckets and tables: hashes spread them evenly, and independently. */

/** Beyond so many standard deviations a tail is nothing. */
const CERTAIN = 9;
/** Terms below this part of the sum are left out. */
const NEGLIGIBLE = 1e-13;

/** Natural logarithm of n! for whole n from 0 on (Stirling's series; exact to 1e-10). */
function logFactorial(n: number): number {
	if (n < 16) {
		let product = 1;
		for (let k = 2; k <= n; k++) product *= k;
		return Math.log(product);
	}
	const x = n + 1;
	return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * x) - 1 / (360 * x ** 3);
}

/** The same are asked for again and again, for every hint that is weighed. */
const REMEMBERED = 65_536;
const remembered = new Map<string, number>();

/** The probability that of n entries, each with probability p, more than k fall into one place. `n`, `k`: whole, from 0 on. */
export function moreThan(n: number, p: number, k: number): number {
	if (n <= k) return 0;
	if (p >= 1) return 1;
	const key = `${n} ${p} ${k}`;
	let tail = remembered.get(key);
	if (tail === undefined) {
		if (remembered.size >= REMEMBERED) remembered.clear();
		tail = binomialTail(n, p, k);
		remembered.set(key, tail);
	}
	return tail;
}

function binomialTail(n: number, p: number, k: number): number {
	const mean = n * p;
	const deviation = Math.sqrt(mean * (1 - p));
	if (mean - k > CERTAIN * deviation + 1) return 1;
	if (k - mean > CERTAIN * deviation + CERTAIN) return 0;
	const upper = k + 1 > mean;
	let at = upper ? k + 1 : k;
	let term = Math.exp(
		logFactorial(n) - logFactorial(at) - logFactorial(n - at) + at * Math.log(p) + (n - at) * Math.log1p(-p),
	);
	let sum = 0;
	while (term > sum * NEGLIGIBLE && at >= 0 && at <= n) {
		sum += term;
		term *= upper ? ((n - at) / (at + 1)) * (p / (1 - p)) : (at / (n - at + 1)) * ((1 - p) / p);
		at += upper ? 1 : -1;
	}
	return upper ? Math.min(1, sum) : Math.max(0, 1 - sum);
}

/** The area below the density of the standard normal distribution, up to z (Abramowitz and Stegun, 26.2.17: to 1e-7). */
function normalBelow(z: number): number {
	const t = 1 / (1 + 0.2316419 * Math.abs(z));
	const tail =
		normalDensity(z) *
		(t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429)))));
	return z >= 0 ? 1 - tail : tail;
}

function normalDensity(z: number): number {
	return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
}

/** By how much a normal value exceeds a limit, on average; 0 where it does not. */
export function meanExcess(mean: number, deviation: number, limit: number): number {
	if (deviation === 0) return Math.max(0, mean - limit);
	const z = (mean - limit) / deviation;
	return (mean - limit) * normalBelow(z) + deviation * normalDensity(z);
}
