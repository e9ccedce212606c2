/** The head of an HTTP/1.1 request (RFC 9112), as little of it as is needed; anything odd is refused. */

export interface HttpRequest {
	method: "GET" | "HEAD";
	path: string;
	query: URLSearchParams;
	/** By lower-case name; of several of one name the first. */
	headers: ReadonlyMap<string, string>;
}

export interface HttpResponse {
	status: number;
	headers?: Readonly<Record<string, string>>;
	body: string | Uint8Array;
}

/** Line break included. */
export const MAX_HEAD_BYTES = 8192;

/** A short text, as Go's http.Error writes it. */
export function errorResponse(
	status: number,
	text: string,
	headers: Readonly<Record<string, string>> = {},
): HttpResponse {
	const common = { "Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff" };
	return { status, headers: { ...common, ...headers }, body: `${text}\n` };
}

/** Of the loopback interface; a name of anybody else's may have been made to point here (DNS rebinding). */
export function isLoopbackName(host: string): boolean {
	return /^(localhost|127(\.\d{1,3}){3}|\[::1\]|::1)$/i.test(host);
}

function hostOf(value: string): string {
	return value.replace(/:\d*$/, "");
}

/**
 * `head`: everything before the empty line, without it. `loopback`: only local names may be asked for. The answer is a refusal where it
 * is no request that we take.
 */
export function parseRequest(head: string, loopback: boolean): HttpRequest | HttpResponse {
	const [first = "", ...lines] = head.split("\r\n");
	const line = /^([A-Z]{1,20}) (\/[\x21-\x7e]*) HTTP\/1\.([01])$/.exec(first);
	if (line === null) return errorResponse(400, "400 Bad Request");
	const [, method = "", target = "", minor] = line;
	const headers = new Map<string, string>();
	let hosts = 0;
	for (const field of lines) {
		const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\0\r\n]*?)[ \t]*$/.exec(field);
		if (match === null) return errorResponse(400, "400 Bad Request");
		const name = (match[1] ?? "").toLowerCase();
		if (name === "host") hosts++;
		if (!headers.has(name)) headers.set(name, match[2] ?? "");
	}
	if (hosts > 1 || (hosts === 0 && minor === "1")) return errorResponse(400, "400 Bad Request: one Host is needed");
	const host = headers.get("host");
	if (loopback && host !== undefined && !isLoopbackName(hostOf(host))) {
		return errorResponse(403, "403 Forbidden: this address answers to localhost only");
	}
	if (method !== "GET" && method !== "HEAD") {
		return errorResponse(405, "405 Method Not Allowed", { Allow: "GET, HEAD" });
	}
	if (headers.has("transfer-encoding") || Number(headers.get("content-length") ?? 0) !== 0) {
		return errorResponse(400, "400 Bad Request: no body is read");
	}
	const mark = target.indexOf("?");
	return {
		method,
		path: mark < 0 ? target : target.slice(0, mark),
		query: new URLSearchParams(mark < 0 ? "" : target.slice(mark + 1)),
		headers,
	};
}
