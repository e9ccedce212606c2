import { expect, test } from "bun:test";
import { nearNames } from "../../../src/process/near-names.ts";
import { printable } from "../../../src/process/printable.ts";

test("names that differ by little, the nearest first", () => {
	const names = ["prometheus", "promtail", "nginx", "etcd", "etcdctl", "sshd", "etcd", ""];
	expect(nearNames("etdc", names, 5)).toEqual(["etcd"]);
	expect(nearNames("etc", names, 5)).toEqual(["etcd", "etcdctl"]);
	expect(nearNames("Etcd", names, 5)).toEqual(["etcd", "etcdctl"]);
	expect(nearNames("prometeus", names, 5)).toEqual(["prometheus"]);
	expect(nearNames("ngnix", names, 5)).toEqual(["nginx"]);
	expect(nearNames("nginy", names, 5)).toEqual(["nginx"]);
	expect(nearNames("etcd", names, 1)).toEqual(["etcd"]);
	expect(nearNames("zzzzzz", names, 5)).toEqual([]);
});

test("printable text is one line without control characters", () => {
	expect(printable("a\u001b[31mb\nc\u009bd\u202ee\u2028f\u0000", 100)).toBe("a?[31mb?c?d?e?f?");
	expect(printable("grüße 世界 🙂", 100)).toBe("grüße 世界 🙂");
	expect(printable("🙂🙂🙂🙂", 3)).toBe("🙂🙂…");
	expect(printable("abc", 3)).toBe("abc");
});
