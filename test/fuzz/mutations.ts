/** Makes damaged variants of a program, the same for the same generator. */
import { deflateSync } from "node:zlib";
import type { Patch, Variant } from "../support/patched-source.ts";
import type { Prng } from "../support/prng.ts";
import type { Region, Site, Sites } from "./sites.ts";

export interface Subject {
	name: string;
	bytes: Uint8Array;
	sites: Sites;
}

export interface Damage extends Variant {
	/** What was done, for the report. */
	what: string[];
}

/** 16 MiB of zeros, deflated to 16 KiB. */
const BOMB = deflateSync(Buffer.alloc(16 << 20), { level: 9 });

/** All programs, for parts of others; each is read when it is first taken. */
export interface Others {
	readonly names: readonly string[];
	get(name: string): Subject;
}

type Mutation = (subject: Subject, others: Others, random: Prng) => { what: string; patches: Patch[]; size?: number };

export function damage(subject: Subject, others: Others, random: Prng): Damage {
	const made: Damage = { what: [], patches: [], size: subject.bytes.length };
	for (let left = random.few(6); left > 0; left--) {
		const { what, patches, size } = random.pick(MUTATIONS)(subject, others, random);
		made.what.push(what);
		made.patches.push(...patches);
		made.size = Math.min(made.size, size ?? made.size);
	}
	return made;
}

const lieInField: Mutation = (subject, _others, random) => {
	const [kind, sites] = random.pick([...subject.sites.fields].filter(([, list]) => list.length > 0));
	const site = random.pick(sites);
	return { what: `${kind} at ${site.at}`, patches: [{ at: site.at, bytes: wrongValue(subject, sites, site, random) }] };
};

const flipBits: Mutation = (subject, _others, random) => {
	const [name, region] = anyRegion(subject, random);
	const patches = Array.from({ length: random.few(32) }, () => {
		const at = region.at + random.below(region.size);
		return { at, bytes: Uint8Array.of((subject.bytes[at] ?? 0) ^ (1 << random.below(8))) };
	});
	return { what: `${patches.length} bits in ${name}`, patches };
};

const cutShort: Mutation = (subject, _others, random) => {
	const [name, region] = anyRegion(subject, random);
	const size = Math.max(0, random.chance(0.5) ? region.at + random.below(16) - 8 : random.below(subject.bytes.length));
	return { what: `cut to ${size} by ${name}`, patches: [], size };
};

/** One short pattern again and again, up to the whole region. */
const fillWithPattern: Mutation = (subject, _others, random) => {
	const [name, region] = anyRegion(subject, random);
	const start = random.chance(0.4) ? 0 : random.below(region.size);
	const length = random.chance(0.4) ? region.size - start : random.few(Math.max(1, region.size - start));
	const pattern = random.chance(0.4)
		? Uint8Array.of(random.pick([0, 1, 0x7f, 0x80, 0xff]))
		: random.chance(0.5)
			? random.bytes(random.few(24))
			: copyOf(subject, region.at + random.below(region.size), random.few(64));
	return {
		what: `${length} bytes of a pattern in ${name}`,
		patches: [{ at: region.at + start, bytes: repeat(pattern, length) }],
	};
};

/** Numbers that all look plausible but are in no order: what makes readers jump to and fro. */
const fillWithOffsets: Mutation = (subject, _others, random) => {
	const [name, region] = anyRegion(subject, random);
	const width = random.pick([4, 8, 16]);
	const bound = random.pick([64, 4096, region.size, subject.bytes.length]);
	const bytes = Buffer.from(subject.bytes.subarray(region.at, region.at + region.size));
	const start = width * random.below(region.size / width);
	const shift = random.pick([0, 4]);
	for (let at = start + shift; at + 4 <= bytes.length; at += width) {
		bytes.writeUInt32LE(random.below(bound), at);
	}
	return { what: `offsets below ${bound} in ${name}`, patches: [{ at: region.at, bytes }] };
};

/** Exchanges two headers, or only the places that they name. */
const swapHeaders: Mutation = (subject, _others, random) => {
	const ofSections = random.chance(0.7) && subject.sites.sectionHeaders.length > 1;
	const headers = ofSections ? subject.sites.sectionHeaders : subject.sites.programHeaders;
	const [a, b] = [random.pick(headers), random.pick(headers)];
	const part = random.pick(
		ofSections
			? [
					{ at: 0, size: 64 },
					{ at: 16, size: 24 },
					{ at: 24, size: 16 },
					{ at: 0, size: 4 },
				]
			: [
					{ at: 0, size: 56 },
					{ at: 8, size: 40 },
					{ at: 16, size: 8 },
				],
	);
	return {
		what: `${ofSections ? "section" : "program"} headers at ${a.at} and ${b.at} swapped`,
		patches: [
			{ at: a.at + part.at, bytes: copyOf(subject, b.at + part.at, part.size) },
			{ at: b.at + part.at, bytes: copyOf(subject, a.at + part.at, part.size) },
		],
	};
};

/** The same part of another program, or another part of the same. */
const splice: Mutation = (subject, others, random) => {
	const [name, region] = anyRegion(subject, random);
	const other = random.chance(0.6) ? others.get(random.pick(others.names)) : subject;
	const source = other === subject ? anyRegion(subject, random)[1] : other.sites.regions.get(name);
	const from = source ?? { at: random.below(other.bytes.length), size: region.size };
	const length = random.chance(0.5) ? Math.min(region.size, from.size) : random.few(Math.min(region.size, from.size));
	return { what: `${name} from ${other.name}`, patches: [{ at: region.at, bytes: copyOf(other, from.at, length) }] };
};

/** A debug section that inflates to far more than it is, or says so. */
const inflateBomb: Mutation = (subject, others, random) => {
	const section = subject.sites.debugSections.length > 0 ? random.pick(subject.sites.debugSections) : undefined;
	if (section === undefined) return lieInField(subject, others, random);
	const header = Buffer.alloc(24);
	header.writeUInt32LE(random.pick([1, 1, 1, 2, 0]), 0);
	header.writeBigUInt64LE(random.pick([16n << 20n, 1n << 30n, 1n << 40n, 0n, 100n, (1n << 64n) - 1n]), 8);
	const content = Buffer.concat([header, BOMB]);
	const flags = Buffer.alloc(8);
	flags.writeUInt32LE(0x800, 0);
	const size = Buffer.alloc(8);
	size.writeUInt32LE(content.length, 0);
	// Written over what follows, since small files have no room for it.
	return {
		what: "inflate bomb",
		patches: [
			{ at: section.at, bytes: content },
			{ at: section.header + 8, bytes: flags },
			{ at: section.header + 32, bytes: size },
		],
	};
};

const MUTATIONS: Mutation[] = [
	...[lieInField, lieInField, lieInField, lieInField, lieInField, lieInField],
	...[flipBits, flipBits, cutShort, fillWithPattern, fillWithPattern, fillWithOffsets, swapHeaders, splice],
	inflateBomb,
];

function anyRegion(subject: Subject, random: Prng): [string, Region] {
	if (random.chance(0.05)) return ["the file", { at: 0, size: subject.bytes.length }];
	return random.pick([...subject.sites.regions].filter(([, { size }]) => size > 0));
}

function copyOf({ bytes }: Subject, at: number, length: number): Uint8Array {
	return bytes.slice(at, at + length);
}

function repeat(pattern: Uint8Array, length: number): Uint8Array {
	const bytes = new Uint8Array(length);
	for (let at = 0; at < length; at += pattern.length) bytes.set(pattern.subarray(0, length - at), at);
	return bytes;
}

/** Zero, huge, negative, off by one, pointing at itself, or what another field says. */
function wrongValue(subject: Subject, sites: readonly Site[], site: Site, random: Prng): Uint8Array {
	const { at, width } = site;
	const present = littleEndian(subject.bytes, at, width);
	const size = BigInt(subject.bytes.length);
	const bits = BigInt(width * 8);
	const other = random.pick(sites);
	const value = random.pick<() => bigint>([
		() => 0n,
		() => 1n,
		() => (1n << bits) - 1n,
		() => 1n << (bits - 1n),
		() => (1n << (bits - 1n)) - 1n,
		() => present + BigInt(random.below(17) - 8),
		() => present ^ (1n << BigInt(random.below(width * 8))),
		() => present * 2n,
		() => BigInt(at),
		() => BigInt(at) + 0x400000n,
		() => size,
		() => size - BigInt(random.below(4096)),
		() => BigInt(random.below(subject.bytes.length)),
		() => 1n << BigInt(random.below(width * 8)),
		() => (1n << 53n) - BigInt(random.below(3)) + 1n,
		() => littleEndian(subject.bytes, other.at, width),
		() => BigInt(random.u32()),
	])();
	const bytes = new Uint8Array(width);
	for (let index = 0; index < width; index++) bytes[index] = Number((value >> BigInt(8 * index)) & 255n);
	return bytes;
}

function littleEndian(bytes: Uint8Array, at: number, width: number): bigint {
	let value = 0n;
	for (let index = width - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[at + index] ?? 0);
	return value;
}
