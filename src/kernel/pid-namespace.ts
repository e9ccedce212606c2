/** The PID namespace that this process is in: the kernel numbers processes differently in each, and BPF programs see the numbers of the first one. */
import { readlinkSync, statSync } from "node:fs";
import { GomapgrowError } from "../errors/error.ts";

export interface PidNamespace {
	inode: number;
	/** As the kernel encodes device numbers inside. */
	device: bigint;
}

/** Inode of the first PID namespace (PROC_PID_INIT_INO of include/linux/proc_ns.h). */
const FIRST = 0xeffffffc;

/** st_dev, in which the minor number is split, as the kernel's dev_t, 12 bits of major and 20 of minor (include/linux/kdev_t.h). */
export function kernelDevice(device: number): bigint {
	const major = Math.floor(device / 256) & 0xfff;
	const minor = (device & 0xff) | ((device >>> 12) & 0xfff00);
	return (BigInt(major) << 20n) | BigInt(minor);
}

/** Undefined in the first namespace, whose numbers need no translation. */
export function ownPidNamespace(): PidNamespace | undefined {
	const { ino, dev } = statSync("/proc/self/ns/pid");
	return ino === FIRST ? undefined : { inode: ino, device: kernelDevice(dev) };
}

/** Throws E-HOST-PIDNS when the numbers in /proc are not those of our namespace: another process would be taken for the target. */
export function requireOwnProc(link: () => string = () => readlinkSync("/proc/self"), pid: number = process.pid): void {
	let shown: string;
	try {
		shown = link();
	} catch (cause) {
		throw otherProc("no process of ours in /proc", cause);
	}
	if (shown !== String(pid)) throw otherProc(`that /proc shows process ${pid} as ${shown}`);
}

function otherProc(found: string, cause?: unknown): GomapgrowError {
	return new GomapgrowError("E-HOST-PIDNS", {
		wanted: "a /proc that belongs to our PID namespace",
		found,
		mend: "mount -t proc proc /proc   # a container with the host's processes: docker run --pid=host",
		cause,
	});
}
