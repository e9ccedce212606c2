/** How much time reading records may take, from made-up machines of two processors. */
import { describe, expect, test } from "bun:test";
import { fairLevel, ReadingRoom } from "../../../src/budget/drain-budget.ts";

const SECOND = 1e9;
/** 20 ms in a second of two processors. */
const SHARE = 0.01;
const COST_NS = 20e3;

class Machine {
	readonly room = new ReadingRoom(SHARE);
	#now = 0;
	#allNs = 0;
	#idleNs = 0;

	constructor() {
		this.room.update(0, { allNs: 0, idleNs: 0 }, []);
	}

	/** Seconds in each of which so much of the machine was idle, and each target had so many growths, of which we read so many in all. */
	pass(seconds: number, idle: number, growths: readonly number[], read: number): void {
		for (let second = 0; second < seconds; second++) {
			this.#now += SECOND;
			this.#allNs += 2 * SECOND;
			this.#idleNs += idle * 2 * SECOND;
			this.room.read(read * COST_NS, read);
			this.room.update(this.#now, { allNs: this.#allNs, idleNs: this.#idleNs }, growths);
		}
	}
}

describe("reading", () => {
	test("is not bounded where most processors are idle", () => {
		const machine = new Machine();
		machine.pass(10, 0.51, [25_000], 25_000);
		expect(machine.room.perSecondNs).toBe(Number.POSITIVE_INFINITY);
	});

	test("is bounded where most processors are busy, whatever it takes", () => {
		for (const growths of [25_000, 10]) {
			const machine = new Machine();
			machine.pass(1, 0.49, [growths], growths);
			expect(machine.room.perSecondNs).toBeCloseTo(0.02 * SECOND, 3);
		}
	});

	test("is shared so that a target with few growths keeps all of them", () => {
		const machine = new Machine();
		machine.pass(1, 0, [25_000, 100, 25_000], 50_100);
		const { perSecondNs } = machine.room;
		expect(perSecondNs).toBeGreaterThan(100 * COST_NS);
		expect(2 * perSecondNs + 100 * COST_NS).toBeCloseTo(0.02 * SECOND, 3);
	});

	test("stays bounded when what was idle would go to it, and is free after five seconds in which more than that was idle", () => {
		const machine = new Machine();
		machine.pass(1, 0, [25_000], 25_000);
		// All would take half a processor, a quarter of the machine.
		machine.pass(20, 0.75, [25_000], 500);
		expect(machine.room.perSecondNs).toBeLessThan(SECOND);
		machine.pass(5, 0.85, [25_000], 500);
		expect(machine.room.perSecondNs).toBeLessThan(SECOND);
		machine.pass(1, 0.85, [25_000], 500);
		expect(machine.room.perSecondNs).toBe(Number.POSITIVE_INFINITY);
	});

	test("is taken to cost what it was measured to, by batches that tell", () => {
		const room = new ReadingRoom(SHARE);
		for (let batch = 0; batch < 100; batch++) room.read(100 * 50e3, 100);
		expect(room.costNs).toBeGreaterThan(45e3);
		const before = room.costNs;
		for (let batch = 0; batch < 1000; batch++) room.read(300e3, 1);
		expect(room.costNs).toBe(before);
	});
});

test("the fair level gives each what it wants, or as much as the others, and shares what is left", () => {
	expect(fairLevel([], 10)).toBe(10);
	expect(fairLevel([4], 10)).toBe(10);
	expect(fairLevel([1, 2, 3], 6)).toBe(3);
	expect(fairLevel([1, 2, 3], 12)).toBe(5);
	expect(fairLevel([5, 1, 5], 7)).toBe(3);
	expect(fairLevel([4, 4], 2)).toBe(1);
});
