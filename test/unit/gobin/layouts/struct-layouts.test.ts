import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { structLayouts } from "../../../../src/gobin/layouts/struct-layouts.ts";
import { tableLayouts } from "../../../../src/gobin/layouts/table.ts";
import { GO_VERSIONS, goBuild } from "../../../support/go-binaries.ts";

// Other programs are run, the Go command among them, which may have to build its own tools first.
setDefaultTimeout(60_000);

/** Structure -> member -> offset, and "" -> size, from readelf's dump of the DWARF information. */
type Structs = Map<string, Map<string, number>>;

const NAMES = new Map([
	["runtime.g", "g"],
	["runtime.m", "m"],
	["runtime.gobuf", "gobuf"],
	["runtime.sudog", "sudog"],
	["runtime.maybeTraceablePtr", "traceable"],
	["runtime.hiter", "hiter"],
	["internal/runtime/maps.Iter", "swissIter"],
	["runtime.hmap", "hmap"],
	["runtime.moduledata", "moduledata"],
	["runtime.maptype", "classicMapType"],
	["internal/abi.OldMapType", "classicMapType"],
	["internal/abi.SwissMapType", "swissMapType"],
	["internal/runtime/maps.Map", "swissMap"],
	["internal/runtime/maps.table", "swissTable"],
	["internal/runtime/maps.groupsReference", "groups"],
]);

async function structsOf(path: string, minor: number): Promise<Structs> {
	const names = new Map(NAMES).set("internal/abi.MapType", minor < 24 ? "classicMapType" : "swissMapType");
	const structs: Structs = new Map();
	const dump = Bun.spawn(["readelf", "--debug-dump=info", "-W", path], { stdout: "pipe", stderr: "ignore" });
	let struct: Map<string, number> | undefined;
	let member: string | undefined;
	let size = 0;
	let inStruct = false;
	for (const line of (await new Response(dump.stdout).text()).split("\n")) {
		const tag = /^ *<\d+><[0-9a-f]+>: Abbrev Number: .*\((DW_TAG_\w+)\)/.exec(line)?.[1];
		if (tag !== undefined) {
			inStruct = tag === "DW_TAG_structure_type";
			struct = tag === "DW_TAG_member" ? struct : undefined;
			member = undefined;
			continue;
		}
		const name = /DW_AT_name +: \((?:string|strp|strx\d*|line_strp)\) (?:\(.*\): )?(.*)$/.exec(line)?.[1]?.trim();
		if (name !== undefined && inStruct) {
			const short = names.get(name);
			struct = short === undefined ? undefined : new Map();
			if (short !== undefined && struct !== undefined) {
				structs.set(short, struct);
			}
		} else if (name !== undefined) {
			member = name;
		}
		size = Number(/DW_AT_byte_size +: \(\w+\) (\d+)/.exec(line)?.[1] ?? size);
		if (inStruct && struct !== undefined && line.includes("DW_AT_byte_size")) {
			struct.set("", size);
		}
		const offset = /DW_AT_data_member_location: \(\w+\) (\d+)/.exec(line)?.[1];
		if (offset !== undefined && member !== undefined) {
			struct?.set(member, Number(offset));
		}
	}
	return structs;
}

/** Our member -> the structure's, where the spelling differs. */
const SPELLING: Record<string, string> = {
	bytes: "",
	keySize: "KeySize",
	elemSize: "ValueSize",
	bucketSize: "BucketSize",
	groupSize: "GroupSize",
	slotSize: "SlotSize",
	key: "Key",
	elem: "Elem",
	flags: "Flags",
};
const SPELLING_115: Record<string, string> = {
	bytes: "",
	keySize: "keysize",
	elemSize: "elemsize",
	bucketSize: "bucketsize",
};

function compare(layout: object, struct: Map<string, number> | undefined, spelling: Record<string, string>): void {
	const found: Record<string, number | undefined> = {};
	for (const member of Object.keys(layout)) {
		found[member] = struct?.get(spelling[member] ?? member);
	}
	expect({ ...layout }).toEqual(found as never);
}

describe("structure layouts are those of the DWARF information", () => {
	const rows: [string, string | undefined][] = [
		...GO_VERSIONS.map((version): [string, undefined] => [version, undefined]),
		["1.24", "noswissmap"],
		["1.25", "noswissmap"],
	];
	test.each(rows)("%s %s", async (version, experiment) => {
		const minor = Number(version.slice(2));
		const options = { version, program: "chains" };
		const path = goBuild(experiment === undefined ? options : { ...options, experiment });
		const structs = await structsOf(path, experiment === undefined ? minor : 23);
		const table = tableLayouts(minor);
		const layouts = table && structLayouts(table);
		if (layouts?.g === undefined || layouts.m === undefined) {
			throw new Error(`no layouts for ${version}`);
		}
		const { stackLo, stackHi, schedSp, schedPc, schedBp, ...g } = layouts.g;
		compare(g, structs.get("g"), {});
		expect([stackLo, stackHi]).toEqual([
			structs.get("g")?.get("stack") ?? -1,
			(structs.get("g")?.get("stack") ?? -1) + 8,
		]);
		const sched = structs.get("g")?.get("sched") ?? Number.NaN;
		const gobuf = structs.get("gobuf");
		expect([schedSp, schedPc, schedBp]).toEqual(
			["sp", "pc", "bp"].map((name) => sched + (gobuf?.get(name) ?? Number.NaN)),
		);
		compare(layouts.m, structs.get("m"), {});

		const sudog = structs.get("sudog");
		expect<number | undefined>(layouts.sudog?.g).toBe(sudog?.get("g"));
		const inElem = minor < 26 ? 0 : (structs.get("traceable")?.get("vu") ?? Number.NaN);
		expect(layouts.sudog?.elem).toBe((sudog?.get("elem") ?? Number.NaN) + inElem);

		compare(layouts.moduleData ?? {}, structs.get("moduledata"), { bytes: "" });

		if (minor < 24 || experiment !== undefined) {
			compare(layouts.hmap ?? {}, structs.get("hmap"), { bytes: "" });
			compare(layouts.hiter ?? {}, structs.get("hiter"), { bytes: "", type: "t", map: "h" });
			compare(layouts.classicMapType ?? {}, structs.get("classicMapType"), minor < 21 ? SPELLING_115 : SPELLING);
		} else {
			compare(layouts.swissMap ?? {}, structs.get("swissMap"), { bytes: "" });
			compare(layouts.swissIter ?? {}, structs.get("swissIter"), { bytes: "", type: "typ", map: "m" });
			const { groupsData, groupsLengthMask, ...table } = layouts.swissTable ?? { groupsData: 0, groupsLengthMask: 0 };
			compare(table, structs.get("swissTable"), { bytes: "" });
			const groups = structs.get("swissTable")?.get("groups") ?? Number.NaN;
			expect([groupsData, groupsLengthMask]).toEqual(
				["data", "lengthMask"].map((name) => groups + (structs.get("groups")?.get(name) ?? Number.NaN)),
			);
			const spelling = minor < 27 ? SPELLING : { ...SPELLING, slotSize: "KeyStride" };
			compare(layouts.swissMapType ?? {}, structs.get("swissMapType"), spelling);
		}
	});
});
