// manymaps grows many maps of one type in ways that make them hard to tell apart, and says how often each grew: hundreds of them in turns in several
// goroutines, maps that are cleared and filled again, maps whose headers are on stacks that move, and maps at addresses where others have been.
//
// It prints one JSON object a line, one for each map that has grown: "case", "map" (its hash seed; a map that is cleared gets another one and counts
// as another map from then on), "growths", the slots before the first ("slots_first") and after the last one ("slots_last") and how many entries
// there were when the last one began ("count"). The last line tells how many addresses were used again: {"reused":…}.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"sync"
	"unsafe"
)

// The headers of both implementations: runtime/map.go (hmap) and internal/runtime/maps/{map,table}.go (Map, table).
type hmap struct {
	count      int
	flags, b   uint8
	noverflow  uint16
	hash0      uint32
	buckets    unsafe.Pointer
	oldbuckets unsafe.Pointer
}

type swissMap struct {
	used        uint64
	seed        uintptr
	dirPtr      unsafe.Pointer
	dirLen      int
	globalDepth uint8
}

type swissTable struct {
	used, capacity uint16
}

// The type of the header tells them apart: swiss maps have no room for a second pointer behind the first.
var swiss = isSwiss()

func isSwiss() bool {
	m := make(map[int]int)
	for i := 0; i < 9; i++ {
		m[i] = i
	}
	// Nine entries: a classic map has two buckets (B 1, at offset 9), a swiss one a directory of one table.
	return (*swissMap)(header(m)).dirLen == 1
}

type chain struct {
	Case    string `json:"case"`
	Map     string `json:"map"`
	Growths int    `json:"growths"`
	First   int    `json:"slots_first"`
	Last    int    `json:"slots_last"`
	Count   int    `json:"count"`
}

var (
	mu     sync.Mutex
	chains []*chain
)

func header(m map[int]int) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&m)) }

// state: its seed, its slots and something that every growth changes; no slots: it has not been filled yet.
func state(m map[int]int) (seed uintptr, slots int, shape uintptr) {
	if !swiss {
		h := (*hmap)(header(m))
		if h.buckets != nil {
			slots = 8 << h.b
		}
		return uintptr(h.hash0), slots, uintptr(h.buckets)
	}
	s := (*swissMap)(header(m))
	seed = s.seed
	if s.dirLen == 0 {
		return seed, 8, 0
	}
	var last *swissTable
	for _, t := range (*[1 << 16]*swissTable)(s.dirPtr)[:s.dirLen:s.dirLen] {
		if t != last {
			slots += int(t.capacity)
			shape = shape*31 + uintptr(unsafe.Pointer(t))
		}
		last = t
	}
	return
}

// tracked is a map with the chain of its growths.
type tracked struct {
	name  string
	seed  uintptr
	chain *chain
}

func text(seed uintptr) string {
	if swiss {
		return fmt.Sprintf("0x%016x", seed)
	}
	return fmt.Sprintf("0x%08x", seed)
}

func (t *tracked) insert(m map[int]int, key int) {
	count := len(m)
	seed, before, was := state(m)
	m[key] = key
	_, after, is := state(m)
	if before == 0 || is == was {
		return
	}
	if t.chain == nil || t.seed != seed {
		t.seed, t.chain = seed, &chain{Case: t.name, Map: text(seed), First: before}
		mu.Lock()
		chains = append(chains, t.chain)
		mu.Unlock()
	}
	t.chain.Growths++
	t.chain.Last, t.chain.Count = after, count
}

// In each of four goroutines a hundred maps grow in turns.
func inTurns(done *sync.WaitGroup) {
	defer done.Done()
	maps, all := make([]map[int]int, 100), make([]tracked, 100)
	for i := range maps {
		maps[i], all[i].name = make(map[int]int), "in turns"
	}
	for key := 0; key < 1200; key++ {
		for i, m := range maps {
			if key < 12*i {
				all[i].insert(m, key)
			}
		}
	}
}

// A map keeps its room when it is cleared, so that it grows only when it gets more than before.
func cleared() {
	for n := 0; n < 20; n++ {
		m := make(map[int]int)
		t := tracked{name: "cleared"}
		for _, keys := range []int{5, 60, 100, 500, 400, 3000} {
			for key := 0; key < keys; key++ {
				t.insert(m, key+n)
			}
			for key := range m {
				delete(m, key)
			}
		}
	}
}

//go:noinline
func deep(n int) int {
	var frame [64]int
	frame[n%64] = n
	if n == 0 {
		return 0
	}
	return deep(n-1) + frame[n%64]
}

// The header of the map is on the stack, which moves as it grows.
func onStack(n int, done *sync.WaitGroup) {
	defer done.Done()
	t := &tracked{name: "on stack"}
	m := make(map[int]int, 4)
	for key := 0; key < 500; key++ {
		t.insert(m, key)
		if key%50 == 49 {
			deep(key / 10 * 4)
		}
	}
}

var sink map[int]int

// Maps that are garbage when the next ones are made.
func addresses() (reused int) {
	seen := map[uintptr]bool{}
	for round := 0; round < 20; round++ {
		for n := 0; n < 50; n++ {
			m := make(map[int]int)
			sink = m
			at := uintptr(header(m))
			if seen[at] {
				reused++
			}
			seen[at] = true
			t := tracked{name: "reused"}
			for key := 0; key < 9+n*round; key++ {
				t.insert(m, key)
			}
		}
		sink = nil
		runtime.GC()
	}
	return
}

func main() {
	var done sync.WaitGroup
	done.Add(4 + 20)
	for g := 0; g < 4; g++ {
		go inTurns(&done)
	}
	for g := 0; g < 20; g++ {
		go onStack(g, &done)
	}
	cleared()
	reused := addresses()
	done.Wait()
	out := json.NewEncoder(os.Stdout)
	for _, c := range chains {
		if err := out.Encode(c); err != nil {
			os.Exit(1)
		}
	}
	if err := out.Encode(map[string]int{"reused": reused}); err != nil {
		os.Exit(1)
	}
}
