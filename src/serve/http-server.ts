/**
 * A small HTTP server for a tool that runs as root: GET and HEAD, one request a connection, and a bound on everything that a client can
 * make us keep.
 */
import { createServer, type Server, type Socket } from "node:net";
import { GomapgrowError } from "../errors/error.ts";
import { errnoCode } from "../process/procfs-file.ts";
import { errorResponse, type HttpRequest, type HttpResponse, MAX_HEAD_BYTES, parseRequest } from "./request.ts";

export interface HttpServerOptions {
	/** Name or address; empty: all interfaces. */
	host: string;
	port: number;
	/** Only local names may be asked for. */
	loopback: boolean;
	/** `gone`: the client has closed the connection, or time is up. */
	handle: (request: HttpRequest, gone: AbortSignal) => HttpResponse | Promise<HttpResponse>;
	limits?: Partial<HttpLimits>;
}

export interface HttpLimits {
	connections: number;
	/** For the head of a request, and for reading the answer. */
	headMs: number;
	answerMs: number;
}

const LIMITS: HttpLimits = { connections: 32, headMs: 10_000, answerMs: 60_000 };
const REASONS: Record<number, string> = {
	...{ 200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed" },
	...{ 431: "Request Header Fields Too Large", 500: "Internal Server Error", 503: "Service Unavailable" },
};
const HEAD_END = "\r\n\r\n";

function encoded({ status, headers = {}, body }: HttpResponse, withBody: boolean): Buffer {
	const bytes = typeof body === "string" ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.length);
	const fields = { ...headers, "Content-Length": String(bytes.length), Connection: "close" };
	const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
	const head = Buffer.from(`HTTP/1.1 ${status} ${REASONS[status] ?? "Error"}\r\n${lines.join("")}\r\n`);
	return withBody ? Buffer.concat([head, bytes]) : head;
}

export class HttpServer {
	readonly #options: HttpServerOptions;
	readonly #limits: HttpLimits;
	readonly #server: Server;
	readonly #sockets = new Set<Socket>();

	constructor(options: HttpServerOptions) {
		this.#options = options;
		this.#limits = { ...LIMITS, ...options.limits };
		this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
	}

	/** Returns the port. Throws E-IO. */
	async listen(): Promise<number> {
		const { host, port } = this.#options;
		await new Promise<void>((resolve, reject) => {
			this.#server.once("error", (error) => {
				reject(
					new GomapgrowError("E-IO", {
						wanted: `to listen on ${host}:${port}`,
						found: errnoCode(error) ?? String(error),
						mend: "the same with --listen 127.0.0.1:0   # any free port",
						cause: error,
					}),
				);
			});
			this.#server.listen({ port, ...(host === "" ? {} : { host }) }, resolve);
		});
		const address = this.#server.address();
		return typeof address === "object" && address !== null ? address.port : port;
	}

	/** Takes no more connections and waits until the answers are read, so long at most. */
	async drain(ms: number): Promise<void> {
		const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
		const timer = setTimeout(() => {
			for (const socket of this.#sockets) socket.destroy();
		}, ms);
		await closed;
		clearTimeout(timer);
	}

	#accept(socket: Socket): void {
		// Whatever a client does to its connection is its own affair.
		socket.on("error", () => socket.destroy());
		if (this.#sockets.size >= this.#limits.connections) {
			socket.end(encoded(errorResponse(503, "too many connections", { "Retry-After": "1" }), true));
			// Who does not read even this is left alone.
			setTimeout(() => socket.destroy(), 1000).unref();
			return;
		}
		this.#sockets.add(socket);
		const gone = new AbortController();
		socket.on("close", () => {
			this.#sockets.delete(socket);
			gone.abort();
		});
		this.#read(socket, gone.signal);
	}

	#read(socket: Socket, gone: AbortSignal): void {
		const timer = setTimeout(() => socket.destroy(), this.#limits.headMs);
		gone.addEventListener("abort", () => clearTimeout(timer));
		let head = Buffer.alloc(0);
		let answered = false;
		socket.on("data", (chunk: Buffer) => {
			// Behind the request nothing is read.
			if (answered) return;
			const room = MAX_HEAD_BYTES - head.length;
			head = Buffer.concat([head, chunk.subarray(0, room)]);
			const end = head.indexOf(HEAD_END);
			if (end < 0 && chunk.length < room) return;
			answered = true;
			clearTimeout(timer);
			if (end < 0) this.#answer(socket, errorResponse(431, "431 Request Header Fields Too Large"), true);
			else void this.#respond(socket, head.toString("latin1", 0, end), gone);
		});
		socket.on("end", () => {
			// Who ends its side while the answer is still to be made has gone, as for Go's server; one that is being written is finished.
			if (!socket.writableEnded) socket.destroy();
		});
	}

	async #respond(socket: Socket, head: string, gone: AbortSignal): Promise<void> {
		const request = parseRequest(head, this.#options.loopback);
		if ("status" in request) {
			this.#answer(socket, request, true);
			return;
		}
		let response: HttpResponse;
		try {
			response = await this.#options.handle(request, gone);
		} catch (error) {
			process.stderr.write(
				`gomapgrow: answering a request failed: ${error instanceof Error ? error.message : error}\n`,
			);
			response = errorResponse(500, "500 Internal Server Error");
		}
		if (!gone.aborted) this.#answer(socket, response, request.method === "GET");
	}

	#answer(socket: Socket, response: HttpResponse, withBody: boolean): void {
		const timer = setTimeout(() => socket.destroy(), this.#limits.answerMs);
		socket.on("close", () => clearTimeout(timer));
		// The client's side may stay open for good: ours is closed when all is written.
		socket.end(encoded(response, withBody), () => setTimeout(() => socket.destroy(), 1000).unref());
	}
}
