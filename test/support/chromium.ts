/** A headless Chromium of the distribution, driven through a pipe. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium } from "playwright-core";

export const CHROMIUM = "/usr/bin/chromium";

export interface Browser {
	context: BrowserContext;
	close(): Promise<void>;
}

/** Starts it with a profile of its own, which is removed in the end. `scripts`: whether pages may run them. */
export async function startChromium(options: { scripts: boolean }): Promise<Browser> {
	const profile = mkdtempSync(join(tmpdir(), "gomapgrow-test-chromium-"));
	const context = await chromium.launchPersistentContext(profile, {
		executablePath: CHROMIUM,
		headless: true,
		javaScriptEnabled: options.scripts,
		viewport: { width: 1280, height: 600 },
		args: [
			"--no-sandbox",
			"--disable-gpu",
			"--disable-quic",
			"--no-first-run",
			"--disable-background-networking",
			"--disable-component-update",
			"--disable-sync",
		],
	});
	return {
		context,
		close: async () => {
			await context.close();
			rmSync(profile, { recursive: true, force: true });
		},
	};
}
