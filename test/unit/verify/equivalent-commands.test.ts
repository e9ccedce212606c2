/** Command lines for other tools: whether they count the same is tested in test/e2e/verify.test.ts. */
import { describe, expect, test } from "bun:test";
import { byHand, eventName } from "../../../src/verify/equivalent-commands.ts";

const sites = [
	{ fn: "runtime.hashGrow", address: 0x40dbe4, fileOffset: 0xdbe4 },
	{ fn: "runtime.growWork_fast64", address: 0x40ef44, fileOffset: 0xef44 },
];

describe("event names", () => {
	test.each([
		["runtime.growWork_fast64", "growWork_fast64"],
		["internal/runtime/maps.(*table).rehash", "table_rehash"],
		["internal/runtime/maps.(*Map).growToTable", "Map_growToTable"],
	])("%s", (fn, name) => expect(eventName(fn)).toBe(name));
});

describe("bpftrace", () => {
	test("gets offsets where no address of code is as small", () => {
		expect(byHand(4711, sites, 0x401000, 10).bpftrace).toBe(
			[
				`bpftrace --unsafe -p 4711 -e 'uprobe:/proc/4711/exe:0xdbe4 { @["runtime.hashGrow"] = count(); }`,
				`uprobe:/proc/4711/exe:0xef44 { @["runtime.growWork_fast64"] = count(); }`,
				"interval:s:10 { exit(); }'",
			].join("\n"),
		);
	});

	test("gets addresses where an offset could be taken for another address", () => {
		const { bpftrace } = byHand(4711, sites, 0x1000, 10);
		expect(bpftrace).toStartWith("bpftrace -p 4711 ");
		expect(bpftrace).toContain("uprobe:/proc/4711/exe:0x40dbe4 {");
	});
});

test("perf gets events that are defined before and removed after", () => {
	expect(byHand(4711, sites, 0x401000, 10).perf).toEqual([
		"echo 'p:gomapgrow_4711/hashGrow /proc/4711/exe:0xdbe4\np:gomapgrow_4711/growWork_fast64 /proc/4711/exe:0xef44' >> /sys/kernel/tracing/uprobe_events",
		"perf stat -e gomapgrow_4711:hashGrow -e gomapgrow_4711:growWork_fast64 -p 4711 -- sleep 10",
		'for event in hashGrow growWork_fast64; do echo "-:gomapgrow_4711/$event" >> /sys/kernel/tracing/uprobe_events; done',
	]);
});
