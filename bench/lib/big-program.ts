/**
 * Go programs of any size with the shape of large services: many packages, each with thousands of types, methods, maps and closures. They
 * are built once and kept in the cache folder.
 */
import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Bump when the generated sources change. */
const RECIPE = 1;
const ENTITIES_PER_PACKAGE = 500;
/** Bytes of a stripped executable per entity, and of one without any; measured, so that sizes come out about right. */
const BYTES_PER_ENTITY = 11_400;
const BYTES_BESIDES = 1_500_000;

export interface BigProgram {
	/** Size that was wanted, in MB (10^6 bytes). */
	megabytes: number;
	/** Go release: "1.23". */
	version: string;
	debug: "stripped" | "dwarf";
	path: string;
	/** Real size in bytes. */
	size: number;
}

const cache = process.env.GOMAPGROW_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "gomapgrow");

/** The `go` command of a cached toolchain. Throws when it is missing. */
export function goCommand(version: string): string {
	const command = join(cache, "go", version, "bin", "go");
	if (!existsSync(command)) throw new Error(`wanted the Go ${version} toolchain; found none; run: make toolchains`);
	return command;
}

/** Builds the program, or takes it from the cache; `megabytes` is the size of the stripped file, that with DWARF is larger. */
export function bigProgram(megabytes: number, version: string, debug: BigProgram["debug"]): BigProgram {
	const folder = join(cache, "bench", `big-${RECIPE}-${megabytes}`);
	const path = join(folder, `${version}-${debug}`);
	if (!existsSync(path)) {
		console.error(`building a program of about ${megabytes} MB with Go ${version} (${debug}); once`);
		writeSources(join(folder, "src"), Math.max(1, Math.round((megabytes * 1e6 - BYTES_BESIDES) / BYTES_PER_ENTITY)));
		build(version, debug, join(folder, "src"), path);
	}
	return { megabytes, version, debug, path, size: statSync(path).size };
}

function build(version: string, debug: BigProgram["debug"], sources: string, path: string): void {
	const command = goCommand(version);
	const scratch = `${path}.${process.pid}.tmp`;
	try {
		const result = Bun.spawnSync(
			["nice", command, "build", "-trimpath", ...(debug === "stripped" ? ["-ldflags=-s -w"] : []), "-o", scratch, "."],
			{
				cwd: sources,
				env: {
					PATH: process.env.PATH ?? "/usr/bin:/bin",
					HOME: homedir(),
					GOROOT: join(cache, "go", version),
					GOENV: "off",
					GOTOOLCHAIN: "local",
					GOFLAGS: "-mod=mod",
					GOPROXY: "off",
					GOCACHE: join(cache, "gocache"),
					GOPATH: join(cache, "gopath"),
					CGO_ENABLED: "0",
				},
				stdout: "inherit",
				stderr: "inherit",
			},
		);
		if (!result.success) throw new Error(`go build ended with ${result.exitCode} in ${sources}`);
		renameSync(scratch, path);
	} finally {
		rmSync(scratch, { force: true });
	}
}

const NOUNS = [
	"Account",
	"Bucket",
	"Cluster",
	"Deployment",
	"Endpoint",
	"Firewall",
	"Gateway",
	"Listener",
	"Policy",
	"Route",
];
const KINDS = [
	"Config",
	"Spec",
	"Status",
	"Request",
	"Response",
	"Handler",
	"Schema",
	"Provider",
	"Controller",
	"Reconciler",
];

function entityName(number: number): string {
	return `${NOUNS[number % NOUNS.length]}${KINDS[Math.floor(number / NOUNS.length) % KINDS.length]}${number}`;
}

function writeSources(folder: string, entities: number): void {
	if (existsSync(join(folder, "main.go"))) return;
	const scratch = `${folder}.${process.pid}.tmp`;
	rmSync(scratch, { recursive: true, force: true });
	mkdirSync(join(scratch, "entity"), { recursive: true });
	writeFileSync(join(scratch, "go.mod"), "module example.com/platform/service\n\ngo 1.20\n");
	writeFileSync(join(scratch, "entity", "entity.go"), INTERFACE);
	const packages: string[] = [];
	for (let first = 0; first < entities; first += ENTITIES_PER_PACKAGE) {
		const name = `resources${String(packages.length).padStart(4, "0")}`;
		packages.push(name);
		mkdirSync(join(scratch, "internal", name), { recursive: true });
		const last = Math.min(entities, first + ENTITIES_PER_PACKAGE);
		for (let from = first; from < last; from += 50) {
			const numbers = Array.from({ length: Math.min(50, last - from) }, (_, index) => from + index);
			writeFileSync(join(scratch, "internal", name, `resources_${from}.go`), entityFile(name, numbers));
		}
	}
	const imports = packages.map((name) => `\t_ "example.com/platform/service/internal/${name}"`).join("\n");
	writeFileSync(join(scratch, "main.go"), MAIN.replace("IMPORTS", imports));
	rmSync(folder, { recursive: true, force: true });
	renameSync(scratch, folder);
}

const INTERFACE = `package entity

// Entity is what all resources can do.
type Entity interface {
	Put(key string, value int) error
	Sum() float64
	Visit(visit func(name string, value int) bool) int
	String() string
	Merge(other Entity) Entity
	Validate() []error
	Labels() map[string]string
}

// Makers has one per resource type.
var Makers []func(size int) Entity
`;

const MAIN = `package main

import (
	"fmt"
	"os"

	"example.com/platform/service/entity"
IMPORTS
)

func main() {
	total := 0.0
	for index, make := range entity.Makers {
		made := make(index % 7)
		for step := 0; step < 20; step++ {
			if err := made.Put(fmt.Sprint("key", step), step); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}
		made = made.Merge(make(3))
		made.Visit(func(name string, value int) bool { total += float64(value); return len(name) > 0 })
		total += made.Sum() + float64(len(made.String())+len(made.Validate())+len(made.Labels()))
	}
	fmt.Println(len(entity.Makers), total)
}
`;

function entityFile(packageName: string, numbers: readonly number[]): string {
	return `package ${packageName}

import (
	"errors"
	"fmt"
	"sort"
	"strings"

	"example.com/platform/service/entity"
)

${numbers.map(entity).join("\n")}`;
}

function entity(number: number): string {
	const type = entityName(number);
	return `
type ${type}Key struct {
	Region string
	Index  int${number % 2 === 0 ? 32 : 64}
}

type ${type} struct {
	Name     string
	Size     int
	Values   map[string]int
	ByKey    map[${type}Key]*${type}
	Children []*${type}
	Scores   [${4 + (number % 5)}]float64
	Metadata struct {
		Owner  string
		Limits map[int64]${type}Key
	}
}

func init() {
	entity.Makers = append(entity.Makers, func(size int) entity.Entity { return New${type}(size) })
}

// New${type} makes one with room.
func New${type}(size int) *${type} {
	made := &${type}{Name: "${type}", Size: size, Values: make(map[string]int, size), ByKey: map[${type}Key]*${type}{}}
	made.Metadata.Limits = make(map[int64]${type}Key)
	for index := 0; index < size; index++ {
		child := &${type}{Name: fmt.Sprintf("%s-%d", made.Name, index)}
		made.Children = append(made.Children, child)
		made.ByKey[${type}Key{child.Name, int${number % 2 === 0 ? 32 : 64}(index)}] = child
		made.Metadata.Limits[int64(index)] = ${type}Key{Region: child.Name}
	}
	return made
}

func (r *${type}) Put(key string, value int) error {
	if len(key) == 0 {
		return errors.New("${type}: empty key")
	}
	if old, found := r.Values[key]; found && old > value {
		return fmt.Errorf("${type} %s: %d is above %d", key, old, value)
	}
	r.Values[key] = value + ${number % 97}
	r.Scores[value%len(r.Scores)] += float64(value) * 1.${number % 100}
	return nil
}

func (r *${type}) Sum() float64 {
	total := 0.0
	for _, score := range r.Scores {
		total += score
	}
	for _, child := range r.Children {
		total += child.Sum()
	}
	return total
}

func (r *${type}) Visit(visit func(name string, value int) bool) int {
	names := make([]string, 0, len(r.Values))
	for name := range r.Values {
		names = append(names, name)
	}
	sort.Slice(names, func(a, b int) bool { return names[a] < names[b] })
	seen := 0
	for _, name := range names {
		if !visit(name, r.Values[name]) {
			break
		}
		seen++
	}
	return seen
}

func (r *${type}) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "${type}(%s, %d)", r.Name, r.Size)
	for key, child := range r.ByKey {
		fmt.Fprintf(&text, " %s/%d=%s", key.Region, key.Index, child.Name)
	}
	return text.String()
}

func (r *${type}) Merge(other entity.Entity) entity.Entity {
	from, same := other.(*${type})
	if !same {
		return r
	}
	for key, value := range from.Values {
		r.Values[key] += value
	}
	for key, child := range from.ByKey {
		r.ByKey[key] = child
	}
	r.Children = append(r.Children, from.Children...)
	return r
}

func (r *${type}) Validate() (problems []error) {
	check := func(wrong bool, text string, values ...any) {
		if wrong {
			problems = append(problems, fmt.Errorf(text, values...))
		}
	}
	check(r.Name == "", "${type} has no name")
	check(r.Size < 0, "${type} %s has size %d", r.Name, r.Size)
	check(len(r.Children) > ${10 + (number % 50)}, "${type} %s has %d children", r.Name, len(r.Children))
	for limit, key := range r.Metadata.Limits {
		check(limit < 0 || key.Index < 0, "${type} %s has limit %d for %v", r.Name, limit, key)
	}
	return problems
}

func (r *${type}) Labels() map[string]string {
	labels := map[string]string{"kind": "${type}", "name": r.Name, "owner": r.Metadata.Owner}
	for key := range r.ByKey {
		labels[strings.ToLower(key.Region)] = fmt.Sprint(key.Index)
	}
	return labels
}
`;
}
