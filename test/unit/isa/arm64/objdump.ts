/** What binutils for aarch64 says about instructions: the independent source for the arm64 readers' tests. */
import type { Flow } from "../../../../src/isa/instruction.ts";
import { run } from "../../../support/go-binaries.ts";

const OBJDUMP = "aarch64-linux-gnu-objdump";

export interface ListedInstruction {
	address: number;
	word: number;
	/** "b.ls", or ".inst" for words that binutils does not know. */
	mnemonic: string;
	operands: string;
	/** Name of the function that it is listed under. */
	fn: string;
}

/** All words of a program's .text. */
export function listText(path: string): ListedInstruction[] {
	// Literal pools are listed as instructions too; nothing is left out as "...".
	return parse(run([OBJDUMP, "-d", "-z", "-j", ".text", path]));
}

/** Words that stand in a file of nothing else, at addresses that keep every branch's target above 0. */
export function listWords(path: string): ListedInstruction[] {
	return parse(run([OBJDUMP, "-D", "-z", "-b", "binary", "-m", "aarch64", "--adjust-vma=0x10000000", path]));
}

function parse(listing: string): ListedInstruction[] {
	const instructions: ListedInstruction[] = [];
	let fn = "";
	for (const line of listing.split("\n")) {
		const header = /^[0-9a-f]{16} <(.*)>:$/.exec(line);
		if (header !== null) fn = header[1] ?? "";
		const match = /^ *([0-9a-f]+):\t([0-9a-f]{8}) \t(\S+)(?:\t(.*))?$/.exec(line);
		if (match === null) continue;
		const [, address = "", word = "", mnemonic = "", operands = ""] = match;
		instructions.push({
			address: Number.parseInt(address, 16),
			word: Number.parseInt(word, 16),
			mnemonic,
			operands: operands.replace(/\s*\/\/.*/, ""),
			fn,
		});
	}
	return instructions;
}

const FLOWS: readonly [pattern: RegExp, flow: Flow][] = [
	[/^(b|b\.al|b\.nv)$/, "jump"],
	[/^(b\.[a-z]{2}|cbn?z|tbn?z)$/, "branch"],
	[/^bl$/, "call"],
	[/^(br|bra[ab]z?)$/, "indirect-jump"],
	[/^(blr|blra[ab]z?)$/, "indirect-call"],
	[/^(ret|reta[ab])$/, "return"],
	[/^(brk|hlt|udf|hvc|smc|dcps[123]|eret|ereta[ab]|drps)$/, "stop"],
];

/** Undefined for words that binutils does not know, and for what is newer than the decoder and passes control on. */
export function flowOf({ mnemonic }: ListedInstruction): Flow | undefined {
	if (mnemonic === ".inst" || /^(bc\..*|tcancel)$/.test(mnemonic)) return undefined;
	return FLOWS.find(([pattern]) => pattern.test(mnemonic))?.[1] ?? "next";
}

/** Of a direct branch: the address that it is printed with. */
export function targetOf({ operands }: ListedInstruction): number | undefined {
	const match = /(?:^|, )(?:0x)?([0-9a-f]+)(?: <.*>)?$/.exec(operands);
	return match === null ? undefined : Number.parseInt(match[1] ?? "", 16);
}

/** What arm_probe_decode_insn simulates in every kernel since 5.10. SVE has another adr, of vectors. */
export function isSimulated({ mnemonic, operands }: ListedInstruction): boolean {
	return (
		/^(b|b\.[a-z]{2}|bl|br|blr|ret|cbn?z|tbn?z)$/.test(mnemonic) || (/^adrp?$/.test(mnemonic) && /^x/.test(operands))
	);
}
