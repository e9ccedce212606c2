/** A minimal ELF file for tests: one PT_LOAD segment that covers the whole file, and sections as given. */
export interface SyntheticSection {
	name: string;
	type?: number;
	flags?: number;
	link?: number;
	data: Uint8Array;
}

export const EHDR = 64;
export const PHDR = 56;
export const SHDR = 64;
export const LOAD_ADDRESS = 0x400000;

/** Section 0 and the section name table are added; the section headers are at the end of the file. */
export function syntheticElf(sections: SyntheticSection[] = [], machine = 62, type = 2): Uint8Array {
	const all: SyntheticSection[] = [{ name: "", type: 0, data: new Uint8Array(0) }, ...sections];
	const names = Buffer.from(`${[...all.map((section) => section.name), ".shstrtab"].join("\0")}\0`);
	all.push({ name: ".shstrtab", type: 3, data: names });
	const dataAt: number[] = [];
	let size = EHDR + PHDR;
	for (const section of all) {
		dataAt.push(size);
		size += Math.ceil(section.data.length / 8) * 8;
	}
	const shoff = size;
	size += all.length * SHDR;
	const file = Buffer.alloc(size);
	file.write("\x7fELF\x02\x01\x01", 0, "latin1");
	file.writeUInt16LE(type, 16);
	file.writeUInt16LE(machine, 18);
	file.writeUInt32LE(1, 20);
	file.writeBigUInt64LE(BigInt(EHDR), 32);
	file.writeBigUInt64LE(BigInt(shoff), 40);
	file.writeUInt16LE(EHDR, 52);
	file.writeUInt16LE(PHDR, 54);
	file.writeUInt16LE(1, 56);
	file.writeUInt16LE(SHDR, 58);
	file.writeUInt16LE(all.length, 60);
	file.writeUInt16LE(all.length - 1, 62);
	file.writeUInt32LE(1, EHDR);
	// Readable, writable and executable.
	file.writeUInt32LE(7, EHDR + 4);
	file.writeBigUInt64LE(BigInt(LOAD_ADDRESS), EHDR + 16);
	file.writeBigUInt64LE(BigInt(size), EHDR + 32);
	file.writeBigUInt64LE(BigInt(size + 64), EHDR + 40);
	let nameAt = 0;
	all.forEach((section, index) => {
		const offset = dataAt[index] as number;
		file.set(section.data, offset);
		const at = shoff + index * SHDR;
		file.writeUInt32LE(nameAt, at);
		file.writeUInt32LE(section.type ?? 1, at + 4);
		file.writeBigUInt64LE(BigInt(section.flags ?? 0), at + 8);
		file.writeBigUInt64LE(BigInt(index === 0 ? 0 : LOAD_ADDRESS + offset), at + 16);
		file.writeBigUInt64LE(BigInt(index === 0 ? 0 : offset), at + 24);
		file.writeBigUInt64LE(BigInt(section.data.length), at + 32);
		file.writeUInt32LE(section.link ?? 0, at + 40);
		nameAt += Buffer.byteLength(section.name) + 1;
	});
	return file;
}
