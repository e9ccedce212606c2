/** A Go program that was built elsewhere, without symbol table and DWARF: esbuild as npm delivers it, bundling a thousand modules. */
import { expect } from "bun:test";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { missingFile, missingForTracing, testWith } from "../support/capability.ts";
import { temporaryFolder } from "../support/processes.ts";
import { ledgerFaults, runTraced } from "../support/trace.ts";

const ESBUILD = join(import.meta.dir, "../../node_modules/@esbuild/linux-x64/bin/esbuild");
const MODULES = 1000;

/** Modules that import each other and declare names, which esbuild keeps in maps. */
function writeModules(folder: string): string {
	mkdirSync(folder, { recursive: true });
	for (let i = 0; i < MODULES; i++) {
		const next =
			i + 1 < MODULES ? `import { value${i + 1} } from "./module${i + 1}.js";\n` : `const value${MODULES} = 0;\n`;
		const names = Array.from({ length: 30 }, (_, k) => `const name${i}_${k} = ${k};\n`).join("");
		const uses = Array.from({ length: 30 }, (_, k) => `name${i}_${k}`).join(" + ");
		writeFileSync(join(folder, `module${i}.js`), `${next}${names}export const value${i} = value${i + 1} + ${uses};\n`);
	}
	const entry = join(folder, "entry.js");
	writeFileSync(entry, `import { value0 } from "./module0.js";\nconsole.log(value0);\n`);
	return entry;
}

testWith(missingForTracing(), missingFile(ESBUILD))(
	"esbuild 0.25.0",
	async () => {
		const folder = temporaryFolder("bundle");
		const output = join(folder, "bundle.js");
		const trace = await runTraced(
			[ESBUILD, writeModules(join(folder, "in")), "--bundle", `--outfile=${output}`],
			60_000,
		);
		expect(trace.exit.code).toBe(0);
		expect(statSync(output).size).toBeGreaterThan(100_000);
		expect(trace.targets[0]).toMatchObject({
			name: "esbuild",
			go_version: "go1.23.5",
			map_impl: "classic",
			stripped: true,
		});
		expect(trace.end.complete).toBe(true);
		expect(ledgerFaults(trace.end.ledger)).toEqual([]);

		expect(trace.growths.length).toBeGreaterThan(MODULES);
		for (const growth of trace.growths) {
			expect(growth.map_type).toMatch(/^map\[.+\]./);
			expect(growth.goid).toBeGreaterThan(0);
			for (const frame of growth.stack) {
				// Not an address: every frame has a name, and a line of a source file.
				expect(frame.fn).toMatch(/^[a-zA-Z]/);
				expect(frame.file).toMatch(/\.go$/);
				expect(frame.line).toBeGreaterThan(0);
			}
		}
		// Every module's names are declared in the maps of its scope (internal/js_parser of esbuild's sources).
		const ours = trace.growths.filter((growth) =>
			growth.stack.some((frame) => frame.fn.startsWith("github.com/evanw/esbuild/")),
		);
		expect(ours.length).toBeGreaterThan(MODULES);
		const scopes = ours.filter((growth) => growth.map_type === "map[string]js_ast.ScopeMember");
		expect(scopes.length).toBeGreaterThanOrEqual(MODULES);
		const declaring = scopes.filter((growth) =>
			growth.stack.some((frame) => frame.fn.startsWith("github.com/evanw/esbuild/internal/js_parser.(*parser).")),
		);
		expect(declaring.length).toBeGreaterThanOrEqual(MODULES);
		expect(
			declaring.some((growth) =>
				growth.stack.some(
					(frame) => frame.file?.endsWith("internal/js_parser/js_parser.go") && (frame.line ?? 0) > 100,
				),
			),
		).toBe(true);
		// Modules are parsed in goroutines of their own.
		expect(new Set(scopes.map((growth) => growth.goid)).size).toBeGreaterThan(10);
	},
	120_000,
);
