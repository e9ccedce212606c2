/** Command lines that count the passes of probed instructions with other tools. */

export interface CountedSite {
	fn: string;
	address: number;
	fileOffset: number;
}

export interface ByHand {
	bpftrace: string;
	/** The definition of the events, the count, and their removal, to be run one after the other. */
	perf: string[];
}

const TRACEFS = "/sys/kernel/tracing/uprobe_events";

function hex(value: number): string {
	return `0x${value.toString(16)}`;
}

/** `runtime.growWork_fast64` -> `growWork_fast64`, `internal/runtime/maps.(*table).rehash` -> `table_rehash`: what the kernel takes as an event's name. */
export function eventName(fn: string): string {
	const own = fn.slice(fn.lastIndexOf("/") + 1);
	return own
		.slice(own.indexOf(".") + 1)
		.replace(/[^A-Za-z0-9_]+/g, "_")
		.replace(/^_+|_+$/g, "");
}

/**
 * `pid`: the process; `lowestCode`: lowest address of code in its file; `seconds`: how long to count. The sites must be instruction boundaries. Quoted line
 * feeds keep the commands readable.
 *
 * bpftrace looks an address up among the symbols, and old builds of it then refuse anything but a function's first byte. A number that is no address of any
 * symbol is taken as an offset in the file, as it is: so it needs no symbols, but its --unsafe, since it cannot tell instruction boundaries then.
 */
export function byHand(pid: number, sites: readonly CountedSite[], lowestCode: number, seconds: number): ByHand {
	const file = `/proc/${pid}/exe`;
	const asOffsets = sites.every(({ fileOffset }) => fileOffset < lowestCode);
	const probes = sites.map(({ fn, address, fileOffset }) => {
		return `uprobe:${file}:${hex(asOffsets ? fileOffset : address)} { @["${fn}"] = count(); }`;
	});
	const group = `gomapgrow_${pid}`;
	const names = sites.map(({ fn }) => eventName(fn));
	const definitions = sites.map(({ fileOffset }, index) => `p:${group}/${names[index]} ${file}:${hex(fileOffset)}`);
	const events = names.map((name) => `-e ${group}:${name}`);
	return {
		bpftrace: `bpftrace${asOffsets ? " --unsafe" : ""} -p ${pid} -e '${[...probes, `interval:s:${seconds} { exit(); }`].join("\n")}'`,
		perf: [
			`echo '${definitions.join("\n")}' >> ${TRACEFS}`,
			`perf stat ${events.join(" ")} -p ${pid} -- sleep ${seconds}`,
			`for event in ${names.join(" ")}; do echo "-:${group}/$event" >> ${TRACEFS}; done`,
		],
	};
}
