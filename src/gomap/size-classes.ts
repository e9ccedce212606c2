/** How many bytes the Go allocator takes for an object (runtime/sizeclasses.go, runtime/msize.go). */

/** Go 1.16 to 1.27; class n has the n-th size. Up to 1.15 there is no class of 24 bytes. */
const SIZES = [
	...[8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256, 288, 320, 352, 384, 416, 448],
	...[480, 512, 576, 640, 704, 768, 896, 1024, 1152, 1280, 1408, 1536, 1792, 2048, 2304, 2688, 3072, 3200, 3456, 4096],
	...[4864, 5376, 6144, 6528, 6784, 6912, 8192, 9472, 9728, 10240, 10880, 12288, 13568, 14336, 16384, 18432, 19072],
	...[20480, 21760, 24576, 27264, 28672, 32768],
];

export const PAGE = 8192;
/** Objects up to here have their pointer bits in their span, larger ones a header of a word (1.22+). */
export const MAX_WITHOUT_HEADER = 512;
const MAX_SMALL = 32768;
const HEADER = 8;

export class SizeClasses {
	/** Whether objects above 512 bytes that have pointers begin with the address of their type (1.22+). */
	readonly headers: boolean;

	/** Ascending. */
	readonly sizes: readonly number[];

	constructor(minor: number) {
		this.headers = minor >= 22;
		this.sizes = minor < 16 ? SIZES.filter((size) => size !== 24) : SIZES;
	}

	get count(): number {
		return this.sizes.length;
	}

	/** Of a class, 1 and up. */
	sizeOf(sizeClass: number): number | undefined {
		return this.sizes[sizeClass - 1];
	}

	/** Size class or pages that `bytes` are rounded up to. */
	roundUp(bytes: number): number {
		if (bytes > MAX_SMALL) return Math.ceil(bytes / PAGE) * PAGE;
		let low = 0;
		let high = this.sizes.length - 1;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if ((this.sizes[middle] as number) >= bytes) high = middle;
			else low = middle + 1;
		}
		return this.sizes[low] as number;
	}

	/** Bytes of the object that holds so many. */
	objectSize(bytes: number, noscan: boolean): number {
		if (!this.headers || noscan || bytes <= MAX_WITHOUT_HEADER) return this.roundUp(bytes);
		return bytes <= MAX_SMALL - HEADER ? this.roundUp(bytes + HEADER) : Math.ceil(bytes / PAGE) * PAGE;
	}

	/** What runtime.roundupsize gives for an object of so many bytes: how much of it can be used. */
	usableSize(bytes: number, noscan: boolean): number {
		if (!this.headers || noscan || bytes <= MAX_WITHOUT_HEADER) return this.roundUp(bytes);
		return bytes <= MAX_SMALL - HEADER ? this.roundUp(bytes + HEADER) - HEADER : Math.ceil(bytes / PAGE) * PAGE;
	}
}

const KNOWN = new Map<number, SizeClasses>();

/** Those of a release. */
export function sizeClassesOf(minor: number): SizeClasses {
	const known = KNOWN.get(minor) ?? new SizeClasses(minor);
	KNOWN.set(minor, known);
	return known;
}

/** Bytes of the heap that an allocation takes: its size class, or whole pages. `size`: 0 to 2^52. */
export function allocatedBytes(size: number, pointers: boolean, minor: number): number {
	return size === 0 ? 0 : sizeClassesOf(minor).objectSize(size, !pointers);
}
