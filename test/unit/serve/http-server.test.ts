import { afterAll, describe, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { gunzipSync } from "node:zlib";
import { Profile } from "pprof-format";
import { GrowthMetrics } from "../../../src/metrics/growth-metrics.ts";
import { targetLabels } from "../../../src/metrics/target-series.ts";
import type { GomapgrowRecord, GrowthRecord, TargetRecord } from "../../../src/records/records.ts";
import { HttpServer } from "../../../src/serve/http-server.ts";
import { parseRequest } from "../../../src/serve/request.ts";
import { ServeSink } from "../../../src/serve/serve-sink.ts";
import { EXAMPLES } from "../records/example-records.ts";

const example = <T extends GomapgrowRecord["type"]>(type: T) =>
	EXAMPLES.find((record) => record.type === type) as Extract<GomapgrowRecord, { type: T }>;

const metrics = new GrowthMetrics({
	maxSites: 50,
	maxSeries: 1000,
	labelsOf: ({ name }) => targetLabels(name, undefined),
});
const sink = new ServeSink(metrics);
const server = new HttpServer({
	...{ host: "127.0.0.1", port: 0, loopback: true },
	handle: (request, gone) => sink.handle(request, gone),
	limits: { connections: 4, headMs: 2000 },
});
const port = await server.listen();
const url = `http://127.0.0.1:${port}`;
afterAll(() => server.drain(100));

const target = (pid: number, name: string): TargetRecord => ({ ...example("target"), pid, name, exe: `/srv/${name}` });
const growth = (pid: number): GrowthRecord => {
	const { weight: _, ...one } = example("growth");
	return { ...one, pid };
};
sink.write(example("start"));
sink.write(target(7, "shop"));
sink.write(target(8, "cart"));

/** What the server sends on a connection until it closes it. */
async function raw(text: string, socket: Socket = connect(port, "127.0.0.1")): Promise<string> {
	let received = "";
	socket.on("data", (chunk) => {
		received += chunk.toString();
	});
	socket.write(text);
	await new Promise<void>((resolve) => {
		socket.on("close", () => resolve());
		socket.on("error", () => resolve());
	});
	return received;
}

describe("requests", () => {
	const parsed = (head: string, loopback = true) => parseRequest(head.replaceAll("\n", "\r\n"), loopback);
	const statusOf = (head: string, loopback?: boolean) => {
		const result = parsed(head, loopback);
		return "status" in result ? result.status : 200;
	};

	test("GET and HEAD of a path are taken", () => {
		expect(parsed("GET /a?x=1%202&y HTTP/1.1\nHost: localhost:1\nAccept:  text/plain ")).toMatchObject({
			method: "GET",
			path: "/a",
		});
		expect(statusOf("HEAD / HTTP/1.0")).toBe(200);
		expect(statusOf("GET / HTTP/1.1\nHost: [::1]:10435")).toBe(200);
	});

	test("other methods, odd lines and bodies are not", () => {
		expect(statusOf("POST / HTTP/1.1\nHost: localhost")).toBe(405);
		for (const head of [
			"GET / HTTP/1.1",
			"GET http://x/ HTTP/1.1\nHost: localhost",
			"GET  / HTTP/1.1\nHost: localhost",
			"",
			"GET / HTTP/2\nHost: localhost",
		]) {
			expect(statusOf(head)).toBe(400);
		}
		expect(statusOf("GET / HTTP/1.1\nHost: localhost\n folded: x")).toBe(400);
		expect(statusOf("GET / HTTP/1.1\nHost: localhost\nHost: localhost")).toBe(400);
		expect(statusOf("GET / HTTP/1.1\nHost: localhost\nContent-Length: 4")).toBe(400);
		expect(statusOf("GET / HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked")).toBe(400);
	});

	test("a foreign name is refused on the loopback interface, and taken on others", () => {
		for (const host of ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1:10435"]) {
			expect(statusOf(`GET / HTTP/1.1\nHost: ${host}`)).toBe(403);
			expect(statusOf(`GET / HTTP/1.1\nHost: ${host}`, false)).toBe(200);
		}
	});
});

describe("the server", () => {
	test("answers scrapers in the format that they ask for", async () => {
		const plain = await fetch(`${url}/metrics`);
		expect(plain.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
		expect(await plain.text()).toContain('gomapgrow_target_info{target="shop"');
		const open = await fetch(`${url}/metrics`, { headers: { accept: "application/openmetrics-text;version=1.0.0" } });
		expect(open.headers.get("content-type")).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
		expect(await open.text()).toEndWith("# EOF\n");
		const head = await fetch(`${url}/metrics`, { method: "HEAD" });
		expect(Number(head.headers.get("content-length"))).toBeGreaterThan(100);
		expect((await fetch(`${url}/-/ready`)).status).toBe(200);
		expect((await fetch(`${url}/nothing`)).status).toBe(404);
	});

	test("gives profiles of all targets, or of one, of the time that was asked for", async () => {
		const all = fetch(`${url}/debug/pprof/mapgrowth?seconds=3`);
		const one = fetch(`${url}/debug/pprof/mapgrowth?seconds=3&pid=8`);
		await Bun.sleep(1500);
		for (const pid of [7, 7, 8]) sink.write(growth(pid));
		const third = await fetch(`${url}/debug/pprof/mapgrowth?seconds=3`);
		expect(third.status).toBe(503);
		expect(third.headers.get("retry-after")).toBe("3");
		const counts = async (answer: Response) => {
			const { sample, mapping } = Profile.decode(gunzipSync(await answer.arrayBuffer()));
			return { growths: sample.reduce((sum, { value }) => sum + Number(value[0]), 0), mappings: mapping.length };
		};
		expect(await counts(await all)).toEqual({ growths: 3, mappings: 2 });
		expect(await counts(await one)).toEqual({ growths: 1, mappings: 1 });
	});

	test("refuses as Go's handlers do", async () => {
		for (const [query, status, text] of [
			["seconds=0", 400, 'invalid value for "seconds" - must be a positive integer'],
			["seconds=x", 400, 'invalid value for "seconds" - must be a positive integer'],
			["seconds=61", 400, "profile duration exceeds server's limit of 60 seconds"],
			["seconds=1&pid=-1", 400, 'invalid value for "pid" - must be a positive integer'],
			["seconds=1&pid=1", 404, "process 1 is not observed"],
		] as const) {
			const answer = await fetch(`${url}/debug/pprof/mapgrowth?${query}`);
			expect([answer.status, await answer.text(), answer.headers.get("x-go-pprof")]).toEqual([
				status,
				`${text}\n`,
				"1",
			]);
		}
	});

	test("clients that stall, flood or leave harm nobody", async () => {
		const stalled = Array.from({ length: 4 }, () => connect(port, "127.0.0.1"));
		await Promise.all(stalled.map((socket) => new Promise((resolve) => socket.once("connect", resolve))));
		for (const socket of stalled) socket.write("GET /metrics HTTP/1.1\r\nHost:");
		await Bun.sleep(400);
		expect(await raw("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")).toStartWith("HTTP/1.1 503 ");
		// Their time is up after a while.
		await Promise.all(stalled.map((socket) => new Promise((resolve) => socket.once("close", resolve))));
		expect(await raw(`GET / HTTP/1.1\r\nX: ${"a".repeat(100_000)}`)).toStartWith("HTTP/1.1 431 ");
		const leaving = connect(port, "127.0.0.1");
		leaving.write("GET /debug/pprof/mapgrowth?seconds=60 HTTP/1.1\r\nHost: localhost\r\n\r\n");
		await Bun.sleep(400);
		leaving.destroy();
		await Bun.sleep(400);
		// Its place is free again.
		const two = [1, 2].map(() => fetch(`${url}/debug/pprof/mapgrowth?seconds=1`));
		expect((await Promise.all(two)).map(({ status }) => status)).toEqual([200, 200]);
		expect(await raw("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n")).toContain("healthy");
	});

	test("ends in order: what is waited for is answered at once", async () => {
		const waiting = fetch(`${url}/debug/pprof/mapgrowth?seconds=60`);
		await Bun.sleep(1000);
		sink.drain();
		expect((await waiting).status).toBe(200);
		expect((await fetch(`${url}/-/ready`)).status).toBe(503);
		await server.drain(1000);
		expect(
			await fetch(url).then(
				() => "open",
				() => "closed",
			),
		).toBe("closed");
	});
});
