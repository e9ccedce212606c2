/**
 * bun build/sbom.ts EXECUTABLE PLATFORM COMMIT DATE: prints a software bill of materials of an executable (CycloneDX 1.5, JSON). What is in it comes from the
 * table in THIRD-PARTY-NOTICES.md, checksums from package-lock.json and from the sources that the libraries were built of. The same input gives the
 * same bytes.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** A row of the notices' table. */
export interface Part {
	name: string;
	version: string;
	licence: string;
	source: string;
}

export function partsOf(notices: string): Part[] {
	const rows = notices.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| part |"));
	return rows.map((row) => {
		const [name = "", version = "", licence = "", source = ""] = row
			.slice(2, -2)
			.split(" | ")
			.map((cell) => cell.trim());
		return { name, version, licence, source };
	});
}

interface Locked {
	version?: string;
	integrity?: string;
}

export interface Contents {
	version: string;
	commit: string;
	/** YYYY-MM-DD */
	date: string;
	/** x64, arm64 or x64-musl. */
	platform: string;
	/** SHA-256 of the executable. */
	sha256: string;
	parts: readonly Part[];
	locked: Readonly<Record<string, Locked>>;
	/** SHA-256 and name of the source archive of each native library, by its Debian source package. */
	archives: Readonly<Record<string, { file: string; sha256: string }>>;
}

/** Those of the notices whose identifier in the SPDX list is beyond doubt; the others are given as the notices say them. */
const SPDX: Record<string, string> = {
	MIT: "MIT",
	ISC: "ISC",
	zlib: "Zlib",
	"used under BSD-2-Clause": "BSD-2-Clause",
};
const SOURCE_PACKAGES: Record<string, string> = { libbpf: "libbpf", "libelf (elfutils)": "elfutils", zlib: "zlib" };
const BUN_PACKAGES: Record<string, string> = {
	x64: "@oven/bun-linux-x64",
	arm64: "@oven/bun-linux-aarch64",
	"x64-musl": "@oven/bun-linux-x64-musl",
};

function licenceOf({ licence }: Part): object {
	const id = SPDX[licence] ?? SPDX[licence.split("; ").at(-1) ?? ""];
	return { license: id === undefined ? { name: licence } : { id } };
}

/** What identifies the very bytes that a part was made of; nothing for what comes inside Bun. */
function originOf(part: Part, { platform, locked, archives }: Contents): object {
	const source = archives[SOURCE_PACKAGES[part.name] ?? ""];
	if (source !== undefined) {
		const name = SOURCE_PACKAGES[part.name] ?? "";
		const url = `https://deb.debian.org/debian/pool/main/${name[0]}/${name}/${source.file}`;
		const hashes = [{ alg: "SHA-256", content: source.sha256 }];
		return { externalReferences: [{ type: "source-distribution", url, hashes }] };
	}
	const npmName = part.name === "Bun" ? (BUN_PACKAGES[platform] ?? "") : part.name;
	const { version, integrity } = locked[`node_modules/${npmName}`] ?? {};
	if (version === undefined || integrity === undefined) return {};
	if (version !== part.version)
		throw new Error(`${npmName} is ${version} in the lock file, ${part.version} in the notices`);
	return {
		purl: `pkg:npm/${npmName.replace("@", "%40")}@${version}`,
		hashes: [{ alg: "SHA-512", content: Buffer.from(integrity.replace("sha512-", ""), "base64").toString("hex") }],
	};
}

export function billOfMaterials(contents: Contents): object {
	const { version, commit, date, platform, sha256, parts } = contents;
	const uuid = sha256.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, "$1-$2-5$3-8$4-$5");
	return {
		bomFormat: "CycloneDX",
		specVersion: "1.5",
		serialNumber: `urn:uuid:${uuid}`,
		version: 1,
		metadata: {
			timestamp: `${date}T00:00:00Z`,
			component: {
				type: "application",
				"bom-ref": "gomapgrow",
				name: "gomapgrow",
				version,
				licenses: [{ license: { id: "Apache-2.0" } }],
				hashes: [{ alg: "SHA-256", content: sha256 }],
				properties: [
					{ name: "gomapgrow:commit", value: commit },
					{
						name: "gomapgrow:platform",
						value: platform.endsWith("-musl") ? `linux-${platform}` : `linux-${platform}-glibc`,
					},
				],
			},
		},
		components: parts.map((part) => ({
			type: "library",
			"bom-ref": part.name,
			name: part.name,
			version: part.version,
			licenses: [licenceOf(part)],
			...originOf(part, contents),
		})),
		dependencies: [{ ref: "gomapgrow", dependsOn: parts.map(({ name }) => name) }],
	};
}

/** The source archives that build/libbpf.sh took. */
function sourceArchives(): Contents["archives"] {
	const cache =
		process.env.GOMAPGROW_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "gomapgrow");
	const script = readFileSync(join(import.meta.dir, "lib/native.sh"), "utf8");
	return Object.fromEntries(
		Object.values(SOURCE_PACKAGES).map((name) => {
			const version = new RegExp(`^${name.toUpperCase()}_VERSION=(.*)$`, "m").exec(script)?.[1];
			const folder = join(cache, "sources", `${name}-${version}`);
			const [file] = readdirSync(folder);
			if (file === undefined) throw new Error(`no source archive in ${folder}`);
			return [name, { file, sha256: sha256Of(join(folder, file)) }];
		}),
	);
}

function sha256Of(path: string): string {
	return createHash("sha256").update(readFileSync(path)).digest("hex");
}

if (import.meta.main) {
	const [executable = "", platform = "", commit = "", date = ""] = process.argv.slice(2);
	const top = join(import.meta.dir, "..");
	const json = (name: string) => JSON.parse(readFileSync(join(top, name), "utf8"));
	const bill = billOfMaterials({
		...{ commit, date, platform },
		version: json("package.json").version,
		sha256: sha256Of(executable),
		parts: partsOf(readFileSync(join(top, "THIRD-PARTY-NOTICES.md"), "utf8")),
		locked: json("package-lock.json").packages,
		archives: sourceArchives(),
	});
	console.log(JSON.stringify(bill, null, "\t"));
}
