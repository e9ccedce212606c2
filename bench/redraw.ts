/**
 * bench/redraw.ts [ROWS]: what the live screen costs. For each table and size the time of one second's worth of it: closing a window, taking its values,
 * making and drawing the rows, and writing what has changed; as milliseconds and as a share of a core at one update per second.
 */

import { amountOf } from "../src/records/figure.ts";
import { TABLES } from "../src/tui/rows.ts";
import { composeScreen, type ScreenState } from "../src/tui/screen.ts";
import { Tables } from "../src/tui/table-rows.ts";
import { Terminal } from "../src/tui/terminal.ts";
import { initialUi } from "../src/tui/ui-state.ts";
import { growth, measuredLedger, Recording, target } from "../test/unit/tui/fixture.ts";

const rows = Number(process.argv[2] ?? 500);
const WINDOWS = 40;
const SIZES = [
	[80, 24],
	[200, 60],
] as const;

/** One second of a service in which every call site, map and goroutine is at work. */
function addSecond(recording: Recording, second: number): void {
	for (let index = 0; index < rows; index++) {
		const site = {
			fn: `example.com/shop/part${index % 17}.(*Service${index}).handle`,
			file: `/src/s${index}.go`,
			line: index,
		};
		const mapType = `map[part${index % 17}.key${index % 40}]*part${index % 17}.Value`;
		for (let n = 0; n < 1 + ((index * 7 + second) % 5); n++) {
			recording.growth(
				growth(site, mapType, {
					...{ elapsed_ns: second * 1e9 + index * 1e6, goid: 1000 + index, nth: 1 + (second % 14) },
					...{ map: `0x${(0x10000 + index).toString(16)}`, duration_ns: 500 + ((index * 37 + n * 911) % 40_000) },
					...{ start_fn: site.fn, created_by: site },
				}),
			);
		}
		recording.work({ pid: 4711, fn: "runtime.growWork_faststr", map_type: mapType, site, calls: 1 + (index % 90) });
	}
}

interface Cost {
	/** Milliseconds of CPU per window. */
	view: number;
	draw: number;
}

function measure(table: (typeof TABLES)[number], columns: number, lines: number): Cost {
	const recording = new Recording();
	const ui = { ...initialUi(), table };
	let written = 0;
	const terminal = new Terminal({ write: (text) => (written += text.length), size: () => ({ columns, rows: lines }) });
	terminal.enter();
	const targets = [target()];
	let view_ = 0;
	let draw = 0;
	for (let second = 0; second < WINDOWS; second++) {
		addSecond(recording, second);
		const start = process.cpuUsage();
		recording.close();
		const view = recording.aggregator.view();
		const closed = process.cpuUsage(start);
		const ledger = measuredLedger(amountOf(view.total.growths), amountOf(view.total.work));
		const tables = new Tables({ view, ledger, targets, ended: new Set() });
		const state: ScreenState = {
			targets,
			ended: false,
			elapsedNs: second * 1e9,
			view,
			tables,
			ledger,
			losses: [],
			overhead: [],
			keys: true,
		};
		terminal.draw((size) => composeScreen(state, ui, { ...size, color: true }).lines);
		const drawn = process.cpuUsage(start);
		// The first windows are compiled, not measured.
		if (second < WINDOWS / 2) continue;
		view_ += closed.user + closed.system;
		draw += drawn.user + drawn.system - closed.user - closed.system;
	}
	const windows = WINDOWS / 2;
	if (written === 0) throw new Error("nothing was drawn");
	return { view: view_ / windows / 1000, draw: draw / windows / 1000 };
}

/** What one growth costs to be added up, with and without what only the screen keeps, in microseconds. */
function growthCost(): { sums: number; screen: number } {
	const one = growth({ fn: "main.fill", file: "/src/main.go", line: 7 }, "map[int]int", { duration_ns: 900 });
	const records = Array.from({ length: 2000 }, (_, index) => ({
		...one,
		map: `0x${index.toString(16)}`,
		goid: index % 50,
	}));
	const time = (add: (record: typeof one) => void): number => {
		const rounds = 30;
		for (const record of records) add(record);
		const start = process.cpuUsage();
		for (let round = 0; round < rounds; round++) for (const record of records) add(record);
		const { user, system } = process.cpuUsage(start);
		return (user + system) / rounds / records.length;
	};
	const costOf = (details: boolean): number => {
		const { aggregator } = new Recording({ details });
		return time((record) => aggregator.addGrowth(record));
	};
	// In turns, and the least of them: the first ones are compiled while they are measured.
	let [sums, both] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
	for (let turn = 0; turn < 10; turn++) {
		sums = Math.min(sums, costOf(false));
		both = Math.min(both, costOf(true));
	}
	return { sums, screen: both - sums };
}

console.log(`${rows} call sites, maps and goroutines, all of them growing each second`);
console.log("table        size      sums and rates     rows and screen   share of a core at one update per second");
for (const [columns, lines] of SIZES) {
	for (const table of TABLES) {
		const { view, draw } = measure(table, columns, lines);
		const share = ((view + draw) / 10).toFixed(2);
		const size = `${columns}x${lines}`;
		console.log(
			`${table.padEnd(12)} ${size.padEnd(9)} ${view.toFixed(2).padStart(7)} ms        ${draw.toFixed(2).padStart(7)} ms        ${share.padStart(6)} %`,
		);
	}
}
const { sums, screen } = growthCost();
console.log(`adding a growth: ${sums.toFixed(2)} µs for the sums, ${screen.toFixed(2)} µs more for the screen`);
