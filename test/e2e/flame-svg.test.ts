/** The flame graph in a browser: what can be seen, zoom, search, and all of it without scripts. */
import { afterAll, describe, expect } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { flameSvg } from "../../src/export/flame/svg.ts";
import { FlameGraphBuilder } from "../../src/export/flame/tree.ts";
import { missingFile, testWith } from "../support/capability.ts";
import { type Browser, CHROMIUM, startChromium } from "../support/chromium.ts";
import { temporaryFolder } from "../support/processes.ts";
import { syntheticRecording } from "../support/synthetic-recording.ts";
import { shopGraph } from "../unit/export/flame/flame-fixture.ts";

const chromiumTest = testWith(missingFile(CHROMIUM));
const TIMEOUT = 60_000;
const folder = temporaryFolder("flame");
const browsers = new Map<boolean, Promise<Browser>>();

afterAll(async () => {
	for (const browser of browsers.values()) await (await browser).close();
});

/** Opens an SVG as a document of its own; a script that fails fails the test. */
async function open(svg: string, options: { scripts?: boolean; dark?: boolean } = {}): Promise<Page> {
	const scripts = options.scripts ?? true;
	const browser = browsers.get(scripts) ?? startChromium({ scripts });
	browsers.set(scripts, browser);
	const page = await (await browser).context.newPage();
	page.on("pageerror", (error) => {
		throw error;
	});
	await page.emulateMedia({ colorScheme: options.dark === true ? "dark" : "light" });
	const path = join(folder, `${crypto.randomUUID()}.svg`);
	writeFileSync(path, svg);
	await page.goto(pathToFileURL(path).href);
	return page;
}

const shop = flameSvg(shopGraph(), { subject: "shop 4711, go1.23.5" });

interface Frame {
	title: string;
	text: string;
	x: number;
	width: number;
	y: number;
	/** Right end of the text. */
	textEnd: number;
	shown: boolean;
}

/** Every frame as it is drawn; run by the page. */
const FRAMES = `Array.from(document.querySelectorAll("g.f"), (group) => {
	const box = group.querySelector("rect").getBoundingClientRect();
	const text = group.querySelector("text");
	return {
		title: group.querySelector("title").textContent,
		text: text.textContent,
		x: box.x,
		width: box.width,
		y: box.y,
		textEnd: text.getBoundingClientRect().right,
		shown: getComputedStyle(group).display !== "none",
	};
})`;

/** Contrast of each frame's text, as WCAG 2.1 defines it (relative luminance); run by the page. */
const CONTRASTS = `Array.from(document.querySelectorAll("g.f"), (group) => {
	const luminance = (element) => {
		const parts = getComputedStyle(element).fill.match(/[\\d.]+/g).slice(0, 3).map((part) => {
			const value = Number(part) / 255;
			return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
		});
		return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
	};
	const [a, b] = [luminance(group.querySelector("rect")), luminance(group.querySelector("text"))];
	return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
})`;

async function frames(page: Page): Promise<Frame[]> {
	return await page.evaluate<Frame[]>(FRAMES);
}

/** Fill and opacity of the first rectangle that the selector finds. */
async function look(page: Page, selector: string): Promise<{ fill: string; opacity: number }> {
	return await page.evaluate(`(() => {
		const { fill, opacity } = getComputedStyle(document.querySelector(${JSON.stringify(selector)}));
		return { fill, opacity: Number(opacity) };
	})()`);
}

function frameOf(page: Page, name: string) {
	return page.locator("g.f", { has: page.locator(`title:text("${name}")`) }).first();
}

function named(list: readonly Frame[], name: string): Frame {
	const found = list.find((frame) => frame.title.startsWith(name));
	if (found === undefined) throw new Error(`no frame ${name}`);
	return found;
}

const SERVE = "net/http.(*conn).serve server.go:2009";
const MAIN = "main.main main.go:41";

/** What holds of any picture: children stand on their parents, and no text leaves its frame. */
function expectTidy(list: readonly Frame[]): void {
	for (const frame of list.filter(({ shown }) => shown)) {
		if (frame.text !== "") expect(frame.textEnd, frame.title).toBeLessThanOrEqual(frame.x + frame.width + 0.5);
		const below = list.filter(
			({ shown, y, x, width }) =>
				shown && y > frame.y && y < frame.y + 30 && x <= frame.x + 0.6 && x + width >= frame.x + frame.width - 1.6,
		);
		if (!frame.title.startsWith("all\n")) expect(below.length, frame.title).toBe(1);
	}
}

describe("a flame graph in Chromium", () => {
	for (const scripts of [true, false]) {
		chromiumTest(
			`is complete ${scripts ? "with" : "without"} scripts`,
			async () => {
				const page = await open(shop, { scripts });
				expect(await page.title()).toBe("Map growths · 12 growths · shop 4711, go1.23.5");
				const list = await frames(page);
				expectTidy(list);
				const all = named(list, "all\n");
				const serve = named(list, SERVE);
				expect(serve.title).toBe(`${SERVE}\n7 growths, 58 %`);
				expect(serve.width / all.width).toBeCloseTo(7 / 12, 2);
				expect(serve.text).toBe("http.(*conn).serve server.go:2009");
				expect(named(list, "net/textproto.MIMEHeader.Set header.go:22 (inlined)").text).toContain(" ‹in");
				expect(named(list, "map[struct { A int; B string }]<bool>").title).toContain("1 growth, 8.3 %");
				expect(await page.locator("#search").count()).toBe(scripts ? 1 : 0);
				await page.close();
			},
			TIMEOUT,
		);
	}

	chromiumTest(
		"takes the width of its window, and follows it",
		async () => {
			const page = await open(shop);
			for (const width of [1280, 900]) {
				await page.setViewportSize({ width, height: 600 });
				await page.waitForFunction(`document.documentElement.getAttribute("width") === "${width}"`);
				const list = await frames(page);
				expectTidy(list);
				expect(named(list, "all\n").width).toBeCloseTo(width - 33, 0);
			}
			await page.close();
		},
		TIMEOUT,
	);

	chromiumTest(
		"zooms to a frame by a click, and back",
		async () => {
			const page = await open(shop);
			const before = await frames(page);
			await frameOf(page, MAIN).click();
			const list = await frames(page);
			expectTidy(list);
			expect(named(list, MAIN).width).toBeCloseTo(named(before, "all\n").width, 1);
			expect(named(list, SERVE).shown).toBe(false);
			expect(named(list, "all\n").shown).toBe(true);
			// What was cut off has room now.
			expect(named(list, "example.com/shop/store").text).toBe("store.(*Index[…]).Add index.go:42");
			await page.locator("#reset").click();
			expect(await frames(page)).toEqual(before);
			await frameOf(page, MAIN).click();
			await page.keyboard.press("Escape");
			expect(await frames(page)).toEqual(before);
			expect(await page.locator("#reset").isVisible()).toBe(false);
			await page.close();
		},
		TIMEOUT,
	);

	chromiumTest(
		"finds frames by a part of their names, and says how much they are worth",
		async () => {
			const page = await open(shop);
			await page.keyboard.press("/");
			await page.keyboard.type("STORE.(*INDEX");
			// 4 + 2 + 1 growths in three places.
			expect(await page.locator("#matched").textContent()).toBe("3 frames, 58.3 %");
			expect(await page.locator("g.hit").count()).toBe(3);
			expect(await look(page, "g.hit rect")).toEqual({ fill: "rgb(185, 74, 110)", opacity: 1 });
			expect((await look(page, "g.miss rect")).opacity).toBeLessThan(0.5);
			// A match inside of a match is not counted twice.
			await page.locator("#search").fill("go:");
			expect(await page.locator("#matched").textContent()).toEndWith(", 91.7 %");
			await page.locator("#search").fill("nothing has this name");
			expect(await page.locator("#matched").textContent()).toBe("0 frames, 0.0 %");
			await page.keyboard.press("Escape");
			expect(await page.locator("g.hit, g.miss").count()).toBe(0);
			expect(await page.evaluate<string>(`document.querySelector("#search").value`)).toBe("");
			await page.close();
		},
		TIMEOUT,
	);

	chromiumTest(
		"tells of the frame under the pointer",
		async () => {
			const page = await open(shop);
			await frameOf(page, SERVE).hover();
			expect(await page.locator("#details").textContent()).toBe(`${SERVE} · 7 growths, 58 %`);
			await page.mouse.move(5, 5);
			expect(await page.locator("#details").textContent()).toBe("");
			await page.close();
		},
		TIMEOUT,
	);

	chromiumTest(
		"runs nothing that a name contains, and asks for nothing from elsewhere",
		async () => {
			const page = await open(shop);
			const asked: string[] = [];
			page.on("request", (request) => asked.push(request.url()));
			page.on("dialog", () => asked.push("dialog"));
			await page.reload();
			await page.locator("#search").fill("<script>");
			expect(await page.locator("g.hit").count()).toBe(1);
			expect(asked.filter((url) => !url.startsWith("file:"))).toEqual([]);
			expect(await page.locator("script").count()).toBe(1);
			await page.close();
		},
		TIMEOUT,
	);

	chromiumTest(
		"of a large recording is legible, bright and dark",
		async () => {
			const builder = new FlameGraphBuilder("time");
			for (const record of syntheticRecording({ windows: 20, growthsPerWindow: 300 }).records) builder.add(record);
			const svg = flameSvg(builder.build(), { subject: "shop 4711, go1.23.5" });
			for (const dark of [false, true]) {
				const page = await open(svg, { dark });
				const list = await frames(page);
				expectTidy(list);
				// What success criterion 1.4.3 of WCAG 2.1 asks for.
				const contrasts = await page.evaluate<number[]>(CONTRASTS);
				expect(contrasts.length).toBeGreaterThan(20);
				expect(Math.min(...contrasts)).toBeGreaterThan(4.5);
				const picture = join(folder, `large-${dark}.png`);
				await page.screenshot({ path: picture });
				expect(readFileSync(picture).length).toBeGreaterThan(10_000);
				if (process.env.KEEP_PICTURES !== undefined)
					await page.screenshot({ path: join(process.env.KEEP_PICTURES, `flame-${dark ? "dark" : "bright"}.png`) });
				await page.close();
			}
		},
		TIMEOUT,
	);
});
