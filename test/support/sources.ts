/** Made-up sources for compilers and bundlers to work on, always the same. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A program of so many ES modules; returns the path of the one that imports all others. */
export function writeModules(folder: string, modules: number): string {
	mkdirSync(folder, { recursive: true });
	for (let n = 0; n < modules; n++) {
		const functions = Array.from(
			{ length: 30 },
			(_, i) => `
export class Store${n}x${i} {
  #items = new Map();
  put(key, value) { const { left${i} = 1, ...rest } = value ?? {}; this.#items.set(key, [left${i}, rest]); return this; }
  async each(visit) { for (const [key, [count, rest]] of this.#items) { if (count > ${i}) await visit(key, { ...rest, count }); } }
}
export function make${i}(a, b = ${i}) { let total = 0; for (let k = 0; k < a; k++) { const step = k * b; total += step > 10 ? step : other${i % 7}(step); } return total; }
function other${i}(x) { switch (x % 3) { case 0: return x + ${i}; case 1: return \`\${x}-${n}\`.length; default: return x ?? 0; } }`,
		);
		const imports = [n - 1, n - 2, n - 7].filter((at) => at >= 0).map((at) => `import * as m${at} from "./m${at}.js";`);
		const uses = [n - 1, n - 2, n - 7].filter((at) => at >= 0).map((at) => `m${at}.make${n % 30}(${n})`);
		writeFileSync(
			join(folder, `m${n}.js`),
			`${imports.join("\n")}${functions.join("\n")}\nexport const sum = [${uses.join(", ")}];\n`,
		);
	}
	const entry = join(folder, "main.js");
	const all = Array.from({ length: modules }, (_, n) => n);
	writeFileSync(
		entry,
		`${all.map((n) => `import * as all${n} from "./m${n}.js";`).join("\n")}\nconsole.log(${all.map((n) => `all${n}.sum`).join(", ")});\n`,
	);
	return entry;
}

/** A Go package of so many files that imports nothing; returns their paths. */
export function writeGoPackage(folder: string, files: number): string[] {
	mkdirSync(folder, { recursive: true });
	return Array.from({ length: files }, (_, n) => {
		const functions = Array.from(
			{ length: 40 },
			(_, i) => `
type node${n}x${i} struct {
	left, right *node${n}x${i}
	names       map[string]int
	rows        [${(i % 5) + 1}][]float64
}

func (t *node${n}x${i}) walk(depth int, visit func(*node${n}x${i}) bool) (count int) {
	if t == nil || depth > ${i + 3} {
		return 0
	}
	for name, value := range t.names {
		if value%${(i % 7) + 2} == 0 && len(name) > ${i % 4} {
			count += value
		}
	}
	if visit(t) {
		count += t.left.walk(depth+1, visit) + t.right.walk(depth+1, visit)
	}
	switch {
	case count > 1000:
		t.rows[0] = append(t.rows[0], float64(count)*1.5)
	case count < 0:
		delete(t.names, "none")
	default:
		t.names["seen"]++
	}
	return count
}`,
		);
		const path = join(folder, `file${n}.go`);
		writeFileSync(path, `package big\n${functions.join("\n")}\n`);
		return path;
	});
}
