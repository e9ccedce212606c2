/**
 * Schemas as values from which the TypeScript types of records follow: `type Frame = Infer<typeof frame>`. Fields
 * are spelled once, in JSON Schema (draft 2020-12), which `gomapgrow schema` prints and records that are read are
 * checked with.
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

/** A schema of values of type T. `type` is never there: it carries T. */
export interface Schema<T> {
	readonly json: JsonSchema;
	readonly type?: T;
}

/** A field that may be absent. */
export interface Optional<T> {
	readonly optional: Schema<T>;
}

/** The type of the values that a schema describes. */
export type Infer<S> = S extends Schema<infer T> ? T : never;

type Fields = Readonly<Record<string, Schema<unknown> | Optional<unknown>>>;
type OptionalKeys<F extends Fields> = { [K in keyof F]: F[K] extends Optional<unknown> ? K : never }[keyof F];
type Flat<T> = { [K in keyof T]: T[K] };

/** The type of an object with these fields. */
export type ObjectOf<F extends Fields> = Flat<
	{ [K in keyof Pick<F, Exclude<keyof F, OptionalKeys<F>>>]: Infer<F[K]> } & {
		[K in keyof Pick<F, OptionalKeys<F>>]?: F[K] extends Optional<infer T> ? T : never;
	}
>;

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

/** One of these strings. */
export function oneOf<const T extends string>(...values: readonly T[]): Schema<T> {
	return { json: { type: "string", enum: values } };
}

export function list<T>(items: Schema<T>): Schema<T[]> {
	return { json: { type: "array", items: items.json } };
}

/** One of them. */
export function either<A, B, C = never>(first: Schema<A>, second: Schema<B>, third?: Schema<C>): Schema<A | B | C> {
	return { json: { anyOf: [first.json, second.json, ...(third === undefined ? [] : [third.json])] } };
}

/** An object whose keys are data, like names of functions. */
export function dictionary<T>(values: Schema<T>): Schema<Record<string, T>> {
	return { json: { type: "object", additionalProperties: values.json } };
}

/** An object with these fields; others may be there, too. */
export function object<F extends Fields>(fields: F): Schema<ObjectOf<F>> {
	const entries = Object.entries(fields);
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
