import { expect, test } from "bun:test";
import type { ProgramRecord } from "../../../src/programs/record.ts";
import { programsText } from "../../../src/programs/text.ts";

const ID = "b4d6d161c62525d726fa394b27df30e14f8ea5646313ada576b390de70cfc8cc";
const shop: ProgramRecord = {
	...{ type: "process", pid: 4711, name: "shopd", exe: "/usr/bin/shopd", go_version: "go1.27.3", map_impl: "swiss" },
	...{ watchable: true, cpu_ns_per_second: 423_000_000 },
};
const old = (pid: number): ProgramRecord => ({
	...{ type: "process", pid, name: "old", exe: "/opt/old/bin/old", go_version: "go1.9.1", watchable: false },
	...{ why: "a program built with go1.9.1" },
});

test("the busiest first, and why others cannot be watched", () => {
	const busy = { ...shop, pid: 812, name: "etcd", exe: "/usr/bin/etcd", cpu_ns_per_second: 1_234_000_000 };
	const pids = [11, 12, 13, 14, 15, 16, 17];
	expect(programsText([...pids.map(old), shop, busy], 80)).toEqual([
		" PID    CPU  NAME   GO        MAPS   WATCH  EXECUTABLE",
		" 812  123 %  etcd   go1.27.3  swiss  yes    /usr/bin/etcd",
		"4711   42 %  shopd  go1.27.3  swiss  yes    /usr/bin/shopd",
		...pids.map((pid) => `  ${pid}      –  old    go1.9.1   –      no     /opt/old/bin/old`),
		"",
		"not watchable  11 old, 12 old, 13 old, 14 old, 15 old and 2 more: a program",
		"               built with go1.9.1",
	]);
});

test("a container by the names that are known", () => {
	const rows = programsText(
		[
			{ ...shop, pid: 1, container: { id: ID, name: "server", pod: "shop-6d5f", namespace: "web" } },
			{ ...shop, pid: 2, container: { id: ID, name: "db" } },
			{ ...shop, pid: 3, container: { id: ID } },
			{ ...shop, pid: 4 },
		],
		200,
	);
	const at = rows[0]?.indexOf("CONTAINER") ?? -1;
	expect(rows.slice(1).map((row) => row.slice(at).split("  ")[0])).toEqual([
		"web/shop-6d5f/server",
		"db",
		"b4d6d161c625",
		"–",
	]);
});
