/** Numbers and names of the errors that the kernel and libbpf give back (asm-generic/errno-base.h, errno.h). */

export const ERRNO = {
	EPERM: 1,
	ENOENT: 2,
	ESRCH: 3,
	EBADF: 9,
	EACCES: 13,
	EINVAL: 22,
	EMFILE: 24,
	EPIPE: 32,
	ENOSYS: 38,
	EOPNOTSUPP: 95,
	ENOTSUPP: 524,
} as const;

/**
 * Names that the platform does not know, or that libuv has of another system: 524 is the kernel's own (linux/errno.h).
 */
const OWN_NAMES: Record<number, string> = { 10: "ECHILD", 95: "EOPNOTSUPP", 524: "ENOTSUPP" };

/** The kernel gives none above this. */
const MAX_ERRNO = 1000;

/** "EPERM" for 1 or -1; "errno 4711" for a number without a name. */
export function errnoName(code: number): string {
	const positive = Math.abs(code);
	const own = OWN_NAMES[positive];
	if (own !== undefined) return own;
	// Beyond are numbers that libuv made up.
	if (positive === 0 || positive > MAX_ERRNO) return `errno ${positive}`;
	// Loaded when it is needed: it takes 10 ms.
	const name = process.getBuiltinModule("node:util").getSystemErrorName(-positive);
	return /^E[A-Z0-9]+$/.test(name) ? name : `errno ${positive}`;
}
