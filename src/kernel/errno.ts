/** Names of the errno values that the kernel and libbpf give back (asm-generic/errno-base.h, errno.h). */
const NAMES: Record<number, string> = {
	1: "EPERM",
	2: "ENOENT",
	3: "ESRCH",
	4: "EINTR",
	5: "EIO",
	7: "E2BIG",
	8: "ENOEXEC",
	9: "EBADF",
	10: "ECHILD",
	11: "EAGAIN",
	12: "ENOMEM",
	13: "EACCES",
	14: "EFAULT",
	16: "EBUSY",
	17: "EEXIST",
	19: "ENODEV",
	20: "ENOTDIR",
	21: "EISDIR",
	22: "EINVAL",
	24: "EMFILE",
	26: "ETXTBSY",
	28: "ENOSPC",
	32: "EPIPE",
	38: "ENOSYS",
	95: "EOPNOTSUPP",
	524: "ENOTSUPP",
};

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

/** "EPERM" for 1 or -1. */
export function errnoName(code: number): string {
	const positive = Math.abs(code);
	return NAMES[positive] ?? `errno ${positive}`;
}
