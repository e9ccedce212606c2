import { describe, expect, test } from "bun:test";
import { type ContainerFilter, filterText, matchesContainer } from "../../../src/process/container-filter.ts";

const ID = "b4d6d161c62525d726fa394b27df30e14f8ea5646313ada576b390de70cfc8cc";
const container = { id: ID, name: "server", pod: "web-6d5f-x2", namespace: "shop" };

describe("a container is meant", () => {
	const fitting: ContainerFilter[] = [
		{ container: "server" },
		{ container: ID },
		{ container: ID.slice(0, 12) },
		{ pod: "web-*" },
		{ pod: "*-6d5f-*" },
		{ pod: "*" },
		{ pod: "web-6d5f-x2*", namespace: "s*p", container: "*er" },
	];
	test.each(fitting)("by %o", (filter) => expect(matchesContainer(filter, container)).toBe(true));
	const others: ContainerFilter[] = [
		{ container: "serve" },
		{ container: ID.slice(0, 7) },
		{ container: ID.slice(1) },
		{ pod: "web" },
		{ pod: "web-*-x" },
		{ pod: "web-6d5f-x2*2" },
		{ namespace: "shop", container: "worker" },
		{ namespace: "sho*op" },
	];
	test.each(others)("not by %o", (filter) => expect(matchesContainer(filter, container)).toBe(false));
});

test("what has no such name is not meant", () => {
	expect(matchesContainer({ pod: "*" }, { id: ID })).toBe(false);
	expect(matchesContainer({ container: "*" }, undefined)).toBe(false);
	expect(filterText({ namespace: "shop", container: "server" })).toBe("container server, namespace shop");
});
