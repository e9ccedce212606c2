/**
 * Schemas as values that carry the TypeScript type that they describe: one that says something else than its type does not compile.
 * They are spelled as JSON Schema (draft 2020-12), and read records are checked with them.
 */

/** The parts of JSON Schema that records need. */
export interface JsonSchema {
	$ref?: string;
	type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
	description?: string;
	const?: string | number | boolean;
	enum?: readonly string[];
	pattern?: string;
	format?: string;
	minimum?: number;
	maximum?: number;
	items?: JsonSchema;
	anyOf?: readonly JsonSchema[];
	properties?: Record<string, JsonSchema>;
	required?: readonly string[];
	additionalProperties?: boolean | JsonSchema;
}

/** A schema of values of exactly type T. The functions are never called: they make T invariant. */
export interface Schema<T> {
	readonly json: JsonSchema;
	readonly exactly?: (value: T) => T;
}

/** A field that may be absent. */
export interface Optional<T> {
	readonly optional: Schema<T>;
}

type Fields<T> = {
	[K in keyof T]-?: Record<never, never> extends Pick<T, K> ? Optional<Exclude<T[K], undefined>> : Schema<T[K]>;
};

/** With a description. */
export function described<T>(schema: Schema<T>, description: string): Schema<T> {
	return { json: { ...schema.json, description } };
}

export function optional<T>(schema: Schema<T>, description?: string): Optional<T> {
	return { optional: description === undefined ? schema : described(schema, description) };
}

export const text: Schema<string> = { json: { type: "string" } };
export const flag: Schema<boolean> = { json: { type: "boolean" } };
/** Present only when it holds. */
export const only: Schema<true> = { json: { const: true } };
/** A count, a size or nanoseconds: below 2^53, so that a double holds it. */
export const whole: Schema<number> = { json: { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER } };
/** The same below 0, too. */
export const signed: Schema<number> = { json: { type: "integer" } };
export const positive: Schema<number> = { json: { type: "number", minimum: 0 } };
export const hex: Schema<string> = { json: { type: "string", pattern: "^0x[0-9a-f]+$" } };
/** RFC 3339, UTC, with nanoseconds. */
export const moment: Schema<string> = {
	json: { type: "string", format: "date-time", pattern: "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{9}Z$" },
};

/** Exactly this string. */
export function constant<const T extends string>(value: T): Schema<T> {
	return { json: { const: value } };
}

/** One of these strings: all of the union must be keys. */
export function oneOf<T extends string>(values: Record<T, true>): Schema<T> {
	return { json: { type: "string", enum: Object.keys(values) } };
}

export function list<T>(items: Schema<T>): Schema<T[]> {
	return { json: { type: "array", items: items.json } };
}

/** One or the other. */
export function either<A, B>(first: Schema<A>, second: Schema<B>): Schema<A | B> {
	return { json: { anyOf: [first.json, second.json] } };
}

/** An object whose keys are data, like names of functions. */
export function dictionary<T>(values: Schema<T>): Schema<Record<string, T>> {
	return { json: { type: "object", additionalProperties: values.json } };
}

/** An object with these fields: all of T and no others; those that may be absent in T, and only they, are `optional`. */
export function object<T extends object>(fields: Fields<T>): Schema<T> {
	const entries = Object.entries(fields as unknown as Record<string, Schema<never> | Optional<never>>);
	const required = entries.filter(([, field]) => !("optional" in field)).map(([name]) => name);
	const properties = entries.map(([name, field]) => [name, "optional" in field ? field.optional.json : field.json]);
	return {
		json: {
			type: "object",
			properties: Object.fromEntries(properties),
			...(required.length === 0 ? {} : { required }),
		},
	};
}

/** The same type by its name in `$defs`. */
export function reference<T>(name: string, _schema: Schema<T>): Schema<T> {
	return { json: { $ref: `#/$defs/${name}` } };
}
