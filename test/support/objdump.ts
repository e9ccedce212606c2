/** binutils' objdump as an independent disassembler: the instructions of a program, one after the other. */
import { openElf } from "../../src/elf/elf-file.ts";
import type { Flow } from "../../src/isa/instruction.ts";
import { fileSource } from "./go-binaries.ts";

export interface ListedInstruction {
	address: number;
	/** Mnemonic and operands; "(bad)" where objdump does not know the bytes. */
	text: string;
	/** Of a direct jump, branch or call. */
	target?: number;
	flow: Flow;
}

export interface Text {
	address: number;
	bytes: Uint8Array;
}

/** The .text section. */
export function textOf(path: string): Text {
	const elf = openElf(fileSource(path));
	const section = elf.section(".text");
	if (section === undefined) throw new Error(`${path} has no .text`);
	return { address: section.addr, bytes: elf.bytesAt(section.addr, section.size) };
}

const PREFIXES =
	/^(?:(?:lock|rep[nz]*|bnd|notrack|data16|addr32|[c-g]s|ss|rex[.A-Z]*|xacquire|xrelease)(?=[ ,]|$)[, ]*(?:pt|pn)? *)+/;
const FLOWS: [RegExp, Flow][] = [
	[/^l?jmp[a-z]* +\*/, "indirect-jump"],
	[/^l?call[a-z]* +\*/, "indirect-call"],
	[/^jmp/, "jump"],
	[/^call/, "call"],
	[/^(j|loop|xbegin)/, "branch"],
	[/^(ret|lret|iret)/, "return"],
	[/^(ud[012]|int3|hlt|sysret|sysexit)/, "stop"],
];

/** How the mnemonic passes control on. */
export function listedFlow(text: string): Flow {
	const bare = text.replace(PREFIXES, "");
	return FLOWS.find(([pattern]) => pattern.test(bare))?.[1] ?? "next";
}

const RELATIVE = / (?:0x)?([0-9a-f]+)(?: <|$)/;

function parseLine(line: string): ListedInstruction | undefined {
	const colon = line.indexOf(":\t");
	if (colon < 0 || line[0] !== " ") return undefined;
	const text = line.slice(colon + 2).trim();
	const flow = listedFlow(text);
	const direct = flow === "jump" || flow === "branch" || flow === "call";
	const target = direct ? RELATIVE.exec(text.replace(PREFIXES, ""))?.[1] : undefined;
	return {
		address: Number.parseInt(line.slice(0, colon), 16),
		text,
		flow,
		...(target === undefined ? {} : { target: Number(BigInt.asIntN(64, BigInt(`0x${target}`))) }),
	};
}

/** Every instruction of `objdump -d` with these arguments (the file's name among them), read as it is written. */
export async function* listing(...args: string[]): AsyncGenerator<ListedInstruction> {
	const objdump = Bun.spawn(["objdump", "-d", "-z", "-w", "--no-show-raw-insn", ...args], { stderr: "inherit" });
	const decoder = new TextDecoder();
	let rest = "";
	for await (const chunk of objdump.stdout) {
		const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
		rest = lines.pop() ?? "";
		for (const line of lines) {
			const instruction = parseLine(line);
			if (instruction !== undefined) yield instruction;
		}
	}
	if ((await objdump.exited) !== 0) throw new Error(`objdump ${args.join(" ")} failed`);
}
