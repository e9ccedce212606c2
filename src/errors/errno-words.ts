/** What the codes of failed system calls mean (errno(3)). */
const WORDS: Readonly<Record<string, string>> = {
	EACCES: "permission denied",
	EBADF: "the descriptor is not open",
	EBUSY: "it is in use",
	EDQUOT: "the disk quota is used up",
	EEXIST: "it exists already",
	EFBIG: "the file is too large",
	EINVAL: "invalid argument",
	EIO: "input or output error",
	EISDIR: "it is a folder",
	ELOOP: "too many symbolic links",
	EMFILE: "this process has too many open files",
	ENAMETOOLONG: "the name is too long",
	ENFILE: "the system has too many open files",
	ENODEV: "no such device",
	ENOENT: "no such file or folder",
	ENOMEM: "out of memory",
	ENOSPC: "no space left on the device",
	ENOTDIR: "a part of the path is no folder",
	ENXIO: "no such device or address",
	EPERM: "not permitted",
	EPIPE: "the reader has gone",
	EROFS: "the file system is read-only",
	ESRCH: "no such process",
	ETXTBSY: "the file is being executed",
};

/** A text that is nothing but the code of a failed system call, in words; any other text as it is. */
export function inWords(text: string): string {
	const words = WORDS[text];
	return words === undefined ? text : `${words} (${text})`;
}
