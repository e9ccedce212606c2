import type { JsonSchema } from "../records/schema-node.ts";

/** Undefined when the value conforms; otherwise what is wrong and where: `stack[2].line is no integer`. */
export type Check = (value: unknown) => string | undefined;

/** As Check, but the place is a suffix that begins with its separator: `.line is no integer`. */
type Part = Check;

const HAS = Object.prototype.hasOwnProperty;

function refused(message: string): string {
	return ` ${message}`;
}

/**
 * Makes a check that a value read from elsewhere has the types of a schema. It is looser than the schema: a later version of the same
 * major number may know further fields, kinds and causes, so that these are let through.
 */
export function compileCheck(schema: JsonSchema, definitions: Readonly<Record<string, JsonSchema>>): Check {
	const named = new Map<string, Part>();
	const part = compile(schema);
	return (value) => part(value)?.replace(/^[ .]/, "");

	function compile(node: JsonSchema): Part {
		if (node.$ref !== undefined) return reference(node.$ref.slice(node.$ref.lastIndexOf("/") + 1));
		if (node.anyOf !== undefined) return anyPart(node.anyOf.map(compile));
		const type = node.type ?? typeof node.const;
		if (type === "object") return objectPart(node);
		if (type === "array") return arrayPart(node);
		if (type === "integer" || type === "number") return numberPart(type, node.minimum);
		const wrong = refused(`is no ${type}`);
		return (value) => (typeof value === type ? undefined : wrong);
	}

	function reference(name: string): Part {
		const known = named.get(name);
		if (known !== undefined) return known;
		const definition = definitions[name];
		if (definition === undefined) throw new Error(`the schema has no definition ${name}`);
		const made = compile(definition);
		named.set(name, made);
		return made;
	}

	function arrayPart(node: JsonSchema): Part {
		const check = compile(node.items ?? { type: "object" });
		return (value) => {
			if (!Array.isArray(value)) return refused("is no array");
			for (let index = 0; index < value.length; index++) {
				const wrong = check(value[index]);
				if (wrong !== undefined) return `[${index}]${wrong}`;
			}
			return undefined;
		};
	}

	function objectPart(node: JsonSchema): Part {
		const required = node.required ?? [];
		const fields = Object.entries(node.properties ?? {}).map(([name, field]) => [name, compile(field)] as const);
		const rest = typeof node.additionalProperties === "object" ? compile(node.additionalProperties) : undefined;
		return (value) => {
			if (typeof value !== "object" || value === null || Array.isArray(value)) return refused("is no object");
			const object = value as Record<string, unknown>;
			for (const name of required) if (!HAS.call(object, name)) return `.${name} is missing`;
			for (const [name, check] of fields) {
				if (!HAS.call(object, name)) continue;
				const wrong = check(object[name]);
				if (wrong !== undefined) return `.${name}${wrong}`;
			}
			if (rest === undefined) return undefined;
			for (const name of Object.keys(object)) {
				const wrong = rest(object[name]);
				if (wrong !== undefined) return `.${name}${wrong}`;
			}
			return undefined;
		};
	}
}

/** What is wrong is said of the last alternative. */
function anyPart(alternatives: readonly Part[]): Part {
	return (value) => {
		let wrong: string | undefined = refused("is nothing");
		for (const check of alternatives) {
			wrong = check(value);
			if (wrong === undefined) return undefined;
		}
		return wrong;
	};
}

function numberPart(type: "integer" | "number", minimum = Number.NEGATIVE_INFINITY): Part {
	const wrong = refused(`is no ${type}`);
	const below = refused(`is below ${minimum}`);
	return (value) => {
		if (typeof value !== "number" || (type === "integer" && !Number.isSafeInteger(value))) return wrong;
		return value < minimum ? below : undefined;
	};
}
