// origins grows maps in goroutines that were started in different ways, and says of each goroutine what the runtime says (runtime.Stack): its number, what
// it runs, where it was started and by which goroutine.
//
// It prints one JSON object a line, one for each goroutine: "goid", "parent" (Go 1.21 and newer), "created_by" with "fn", "file" and "line", and "start",
// the function that it runs. What is not told of the main goroutine is absent.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
)

type place struct {
	Fn   string `json:"fn"`
	File string `json:"file"`
	Line int    `json:"line"`
}

type origin struct {
	Goid    int    `json:"goid"`
	Parent  int    `json:"parent,omitempty"`
	Created *place `json:"created_by,omitempty"`
	Start   string `json:"start"`
}

var (
	mu      sync.Mutex
	origins []origin
	done    sync.WaitGroup

	idLine      = regexp.MustCompile(`^goroutine (\d+) \[`)
	createdLine = regexp.MustCompile(`^created by (\S+)(?: in goroutine (\d+))?$`)
	placeLine   = regexp.MustCompile(`^\t(.*):(\d+)(?: \+0x[0-9a-f]+)?$`)
	frameLine   = regexp.MustCompile(`^(\S.*)\(.*\)$`)
)

// self reads the runtime's own words about this goroutine.
func self() (o origin) {
	text := make([]byte, 1<<16)
	text = text[:runtime.Stack(text, false)]
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		if found := idLine.FindStringSubmatch(line); found != nil {
			o.Goid, _ = strconv.Atoi(found[1])
		} else if found := createdLine.FindStringSubmatch(line); found != nil {
			o.Created = &place{Fn: found[1]}
			o.Parent, _ = strconv.Atoi(found[2])
			at := placeLine.FindStringSubmatch(lines[i+1])
			o.Created.File = at[1]
			o.Created.Line, _ = strconv.Atoi(at[2])
		} else if found := frameLine.FindStringSubmatch(line); found != nil {
			o.Start = found[1]
		}
	}
	return
}

// grow grows a map, so that the tracer sees this goroutine.
//
//go:noinline
func grow() {
	defer done.Done()
	m := make(map[int]int)
	for i := 0; i < 100; i++ {
		m[i] = i
	}
	o := self()
	mu.Lock()
	origins = append(origins, o)
	mu.Unlock()
}

func plain() { grow() }

type server struct{ name string }

func (s *server) serve() { grow() }

func (s server) serveWith(int, string) { grow() }

type worker interface{ serve() }

//go:noinline
func spawn(f func()) { go f() }

func inlined() { go plain() }

func parent() {
	defer done.Done()
	done.Add(3)
	go plain()
	go func() { grow() }()
	spawn(func() {
		done.Add(1)
		go plain()
		grow()
	})
}

func main() {
	done.Add(10)
	go plain()
	go func() { grow() }()
	spawn(plain)
	inlined()
	s := &server{"s"}
	serve := s.serve
	go serve()
	go s.serve()
	go s.serveWith(1, "one")
	go worker(s).serve()
	go parent()
	grow()
	done.Wait()
	for _, o := range origins {
		text, err := json.Marshal(o)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(string(text))
	}
}
