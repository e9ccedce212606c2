/** Quantiles of the distributions that intervals are made of: normal, Student's t and gamma. Approximations; the error of each is stated. */

/** Rational approximation of the normal quantile in the tail (Abramowitz and Stegun 26.2.23; absolute error below 4.5e-4). */
const TAIL_ABOVE = [2.515517, 0.802853, 0.010328] as const;
const TAIL_BELOW = [1.432788, 0.189269, 0.001308] as const;
/** Below so many degrees of freedom the expansion of the t quantile is not used. */
const LEAST_DEGREES = 2;

/** z of the standard normal distribution that is exceeded with probability `tail`, 0 < tail <= 0.5. */
export function normalUpper(tail: number): number {
	const [a0, a1, a2] = TAIL_ABOVE;
	const [b1, b2, b3] = TAIL_BELOW;
	const t = Math.sqrt(-2 * Math.log(Math.min(0.5, Math.max(1e-12, tail))));
	return t - (a0 + t * (a1 + t * a2)) / (1 + t * (b1 + t * (b2 + t * b3)));
}

/**
 * Student's t that is exceeded with probability `tail`, by the Cornish-Fisher expansion about the normal quantile: within 1 % from 4 degrees of freedom on for
 * tails of 2.5 %. Fewer than two degrees are taken as two.
 */
export function studentUpper(tail: number, degrees: number): number {
	const z = normalUpper(tail);
	const d = Math.max(LEAST_DEGREES, degrees);
	const z3 = z ** 3;
	const z5 = z ** 5;
	const z7 = z ** 7;
	return (
		z +
		(z3 + z) / (4 * d) +
		(5 * z5 + 16 * z3 + 3 * z) / (96 * d ** 2) +
		(3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * d ** 3)
	);
}

/** The value of a gamma distribution with this mean and variance at `z` standard deviations of the normal distribution (Wilson-Hilferty; 1 % from a shape of 4 on). */
export function gammaQuantile(mean: number, variance: number, z: number): number {
	if (mean <= 0 || variance <= 0) return Math.max(0, mean);
	const shape = mean ** 2 / variance;
	const root = 1 - 1 / (9 * shape) + z / (3 * Math.sqrt(shape));
	return mean * Math.max(0, root) ** 3;
}
