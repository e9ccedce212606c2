import { expect } from "bun:test";

const { UPDATE_GOLDEN } = Bun.env;

/** Compares text with test/golden/NAME exactly. With UPDATE_GOLDEN=1 the file is written instead; read the difference. */
export async function expectGolden(name: string, text: string): Promise<void> {
	const file = Bun.file(new URL(`../../golden/${name}`, import.meta.url));
	if (UPDATE_GOLDEN === "1") await file.write(text);
	expect(text).toBe(await file.text());
}
