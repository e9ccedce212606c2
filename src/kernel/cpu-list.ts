/** The kernel's way of writing sets of processors. */

/** More than any kernel can have (CONFIG_NR_CPUS is 8192 at most). */
const MAX_CPU = 1 << 16;

/** "0-3,8" is 0, 1, 2, 3 and 8. What is not understood is left out. */
export function parseCpuList(text: string): number[] {
	return text
		.trim()
		.split(",")
		.flatMap((part) => {
			const match = /^(\d+)(?:-(\d+))?$/.exec(part);
			if (match === null) return [];
			const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
			if (last > MAX_CPU || last < first) return [];
			return Array.from({ length: last - first + 1 }, (_, index) => first + index);
		});
}
