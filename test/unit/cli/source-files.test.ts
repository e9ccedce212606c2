/** Which files a path from a binary can make us read: only regular .go files below the folder that the caller may read. */
import { expect, test } from "bun:test";
import { chmodSync, chownSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { caller, SourceFiles } from "../../../src/cli/source-files.ts";
import { temporaryFolder } from "../../support/processes.ts";
import { thrownBy } from "../../support/thrown.ts";

const ROOT = { uid: 0, groups: new Set([0]) };
const SOURCE = "package a\n";

function tree() {
	const base = temporaryFolder("source-files");
	chmodSync(base, 0o755);
	const folder = join(base, "in");
	mkdirSync(join(folder, "sub"), { recursive: true });
	mkdirSync(join(base, "out"));
	for (const path of ["in/a.go", "in/sub/b.go", "in/a.txt", "out/c.go"]) writeFileSync(join(base, path), SOURCE);
	return { base, folder, files: new SourceFiles(folder, ROOT) };
}

const nameOf = (found: ReturnType<SourceFiles["find"]>) => (typeof found === "string" ? `(${found})` : found.relative);

test("a file below the folder: by its path, by the end of its path, by module", () => {
	const { folder, files } = tree();
	expect(nameOf(files.find(join(folder, "sub/b.go"), undefined))).toBe("sub/b.go");
	expect(nameOf(files.find("/build/machine/project/sub/b.go", undefined))).toBe("sub/b.go");
	expect(nameOf(files.find("example.com/a/sub/b.go", "example.com/a"))).toBe("sub/b.go");
	expect(files.find(join(folder, "a.go"), undefined)).toMatchObject({ text: SOURCE });
});

test("nothing else", () => {
	const { base, folder, files } = tree();
	symlinkSync(join(base, "out/c.go"), join(folder, "link.go"));
	symlinkSync(join(base, "out"), join(folder, "linked"));
	symlinkSync(join(folder, "a.txt"), join(folder, "text.go"));
	symlinkSync("loop.go", join(folder, "loop.go"));
	symlinkSync(join(folder, "sub/b.go"), join(folder, "inside.go"));
	mkdirSync(join(folder, "folder.go"));
	writeFileSync(join(folder, "large.go"), "");
	truncateSync(join(folder, "large.go"), (8 << 20) + 1);
	writeFileSync(join(folder, "binary.go"), Uint8Array.of(0xff, 0xfe, 0));
	expect(Bun.spawnSync(["mkfifo", join(folder, "fifo.go")]).success).toBe(true);
	const outside = join(base, "out/c.go");
	for (const path of [
		outside,
		join(folder, "link.go"),
		join(folder, "linked/c.go"),
		join(folder, "loop.go"),
		"/etc/passwd.go",
	]) {
		expect(nameOf(files.find(path, undefined))).toContain("not below");
	}
	expect(nameOf(files.find(`${folder}/../out/c.go`, undefined))).toContain("not one that is followed");
	expect(nameOf(files.find(`${folder}/a.go\n--- a/x.go`, undefined))).toContain("not one that is followed");
	expect(nameOf(files.find(`${folder}/\nx/a.go`, undefined))).toContain("not one that is followed");
	expect(nameOf(files.find(join(folder, "text.go"), undefined))).toContain("no .go file");
	expect(nameOf(files.find(join(folder, "folder.go"), undefined))).toContain("no regular file");
	expect(nameOf(files.find(join(folder, "fifo.go"), undefined))).toContain("no regular file");
	expect(nameOf(files.find(join(folder, "large.go"), undefined))).toContain("larger than 8 MiB");
	expect(nameOf(files.find(join(folder, "binary.go"), undefined))).toStartWith("(");
	expect(nameOf(files.find("/dev/zero", undefined))).toContain("no .go file");
	// A link that stays inside is the file that it leads to.
	expect(nameOf(files.find(join(folder, "inside.go"), undefined))).toBe("sub/b.go");
});

test("a file that only root may read is not read for someone who has called sudo", () => {
	const { base, folder } = tree();
	const who = caller({ SUDO_UID: "12345", SUDO_GID: "12345" });
	if (process.getuid?.() === 0) expect(who).toEqual({ uid: 12345, groups: new Set([12345]) });
	const files = new SourceFiles(folder, { uid: 12345, groups: new Set([12345]) });
	chmodSync(join(folder, "a.go"), 0o600);
	chmodSync(join(folder, "sub/b.go"), 0o644);
	expect(nameOf(files.find(join(folder, "a.go"), undefined))).toContain("you may not read it");
	expect(nameOf(files.find(join(folder, "sub/b.go"), undefined))).toBe("sub/b.go");
	writeFileSync(join(folder, "sub/d.go"), SOURCE);
	chmodSync(join(folder, "sub"), 0o700);
	expect(nameOf(files.find(join(folder, "sub/d.go"), undefined))).toContain("you may not read it");
	chmodSync(base, 0o755);
	if (process.getuid?.() !== 0) return;
	// The owner's bits are those that count for the owner.
	writeFileSync(join(folder, "own.go"), SOURCE);
	chownSync(join(folder, "own.go"), 12345, 0);
	chmodSync(join(folder, "own.go"), 0o044);
	expect(nameOf(files.find(join(folder, "own.go"), undefined))).toContain("you may not read it");
});

test("a folder that is none", () => {
	const { folder } = tree();
	expect(thrownBy(() => new SourceFiles(join(folder, "nowhere"), ROOT))).toMatchObject({ code: "E-IO" });
	expect(thrownBy(() => new SourceFiles(join(folder, "a.go"), ROOT))).toMatchObject({ code: "E-IO" });
});
