// iterate grows maps while they are ranged over, in every way that a tracer has to tell apart, and counts itself what happened. A growth
// overlaps an iteration when the iteration takes a further step after it.
//
//	iterate [case ...]
//
// It prints one JSON object: for each case how many growths there were, and how many of them overlapped an iteration (one for each
// growth and iteration). It knows from the map's own header, which it reads before and after each insertion.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"sync"
	"unsafe"
)

// The headers of both implementations: runtime/map.go (hmap) and internal/runtime/maps/map.go (Map).
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
	used, capacity, growthLeft uint16
	localDepth                 uint8
	index                      int
}

var swiss = isSwiss()

func isSwiss() bool {
	m := make(map[int]int)
	for i := 0; i < 9; i++ {
		m[i] = i
	}
	// Nine entries: a classic map has two buckets (B 1, at offset 9), a swiss one a directory of one table.
	return (*swissMap)(*(*unsafe.Pointer)(unsafe.Pointer(&m))).dirLen == 1
}

func header(m map[int]int) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&m))
}

// shape changes with every growth and with nothing else: buckets and B of a classic map, the tables of a swiss one.
func shape(m map[int]int) string {
	if !swiss {
		h := (*hmap)(header(m))
		return fmt.Sprint(h.b, h.buckets)
	}
	s := (*swissMap)(header(m))
	if s.dirLen == 0 {
		return "small"
	}
	tables := (*[1 << 16]*swissTable)(s.dirPtr)[:s.dirLen:s.dirLen]
	text := ""
	for i, t := range tables {
		if i == 0 || t != tables[i-1] {
			text += fmt.Sprint(" ", unsafe.Pointer(t), t.capacity)
		}
	}
	return text
}

type result struct {
	Growths  int `json:"growths"`
	Overlaps int `json:"overlaps"`
}

// insert adds one key and says whether the map has grown.
func insert(m map[int]int, key int) bool {
	// The first insertion allocates what a classic map begins with.
	empty := !swiss && (*hmap)(header(m)).buckets == nil
	before := shape(m)
	m[key] = key
	return !empty && shape(m) != before
}

// oneGoroutine writes into the map that it ranges over: every growth is followed by a step.
func oneGoroutine() (r result) {
	m := make(map[int]int)
	for i := 0; i < 10; i++ {
		if insert(m, i) {
			r.Growths++
		}
	}
	next := 1000
	for range m {
		for i := 0; i < 20 && next < 1600; i++ {
			if insert(m, next) {
				r.Growths++
				r.Overlaps++
			}
			next++
		}
	}
	return r
}

// earlyBreak leaves the loop right after a growth: no step follows it. The growths behind the loop overlap nothing.
func earlyBreak() (r result) {
	m := make(map[int]int)
	for i := 0; i < 100; i++ {
		if insert(m, i) {
			r.Growths++
		}
	}
	next := 1000
	pending := 0
	for range m {
		r.Overlaps += pending
		pending = 0
		for i := 0; i < 50; i++ {
			if insert(m, next) {
				r.Growths++
				pending++
			}
			next++
		}
		if next > 1300 && pending > 0 {
			break
		}
	}
	for i := 0; i < 2000; i++ {
		if insert(m, next) {
			r.Growths++
		}
		next++
	}
	return r
}

// nested ranges over the map inside a range over it: a growth in the inner loop overlaps both.
func nested() (r result) {
	m := make(map[int]int)
	for i := 0; i < 12; i++ {
		if insert(m, i) {
			r.Growths++
		}
	}
	next := 1000
	outer := 0
	for range m {
		outer++
		if outer > 3 {
			break
		}
		inner := 0
		for range m {
			inner++
			if inner > 5 {
				break
			}
			for i := 0; i < 30; i++ {
				if insert(m, next) {
					r.Growths++
					// The inner loop takes a sixth step, the outer one a fourth.
					r.Overlaps += 2
				}
				next++
			}
		}
	}
	return r
}

// underLock has one goroutine range and another one write, under a lock that changes hands at each step.
func underLock() (r result) {
	m := make(map[int]int)
	for i := 0; i < 40; i++ {
		if insert(m, i) {
			r.Growths++
		}
	}
	var mu sync.Mutex
	turn, done := make(chan bool), make(chan int)
	go func() {
		next := 1000
		grown := 0
		for range turn {
			mu.Lock()
			for i := 0; i < 25; i++ {
				if insert(m, next) {
					grown++
				}
				next++
			}
			mu.Unlock()
			done <- grown
		}
	}()
	steps := 0
	mu.Lock()
	for range m {
		steps++
		if steps > 30 {
			break
		}
		mu.Unlock()
		turn <- true
		grown := <-done
		mu.Lock()
		r.Overlaps = grown
	}
	mu.Unlock()
	close(turn)
	r.Growths += r.Overlaps
	return r
}

// afterwards ranges first and grows later: nothing overlaps, though the iterators are still in memory.
func afterwards() (r result) {
	m := make(map[int]int)
	for i := 0; i < 8; i++ {
		if insert(m, i) {
			r.Growths++
		}
	}
	sum := 0
	for k := range m {
		sum += k
	}
	for k := range m {
		sum += k
		break
	}
	for i := 1000; i < 3000; i++ {
		if insert(m, i) {
			r.Growths++
		}
	}
	for k := range m {
		sum += k
	}
	sink += sum
	return r
}

// otherMap ranges over one map and grows another one.
func otherMap() (r result) {
	ranged, grown := map[int]int{1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 7, 8: 8, 9: 9, 10: 10}, make(map[int]int)
	next := 0
	for range ranged {
		for i := 0; i < 200; i++ {
			if insert(grown, next) {
				r.Growths++
			}
			next++
		}
	}
	// The literal of ten entries is made with a hint: it does not grow.
	return r
}

// movingStack ranges in a function whose stack is copied to a larger one in the middle of the loop.
func movingStack() (r result) {
	m := make(map[int]int)
	for i := 0; i < 10; i++ {
		if insert(m, i) {
			r.Growths++
		}
	}
	next := 1000
	ready := make(chan result)
	go func() {
		var own result
		for range m {
			for i := 0; i < 20 && next < 1400; i++ {
				if insert(m, next) {
					own.Growths++
					own.Overlaps++
				}
				next++
			}
			deep(200)
		}
		ready <- own
	}()
	own := <-ready
	r.Growths += own.Growths
	r.Overlaps += own.Overlaps
	return r
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

// reflection iterates and writes through package reflect.
func reflection() (r result) {
	m := make(map[int]int)
	for i := 0; i < 10; i++ {
		if insert(m, i) {
			r.Growths++
		}
	}
	next := 1000
	pending := 0
	for iter := reflect.ValueOf(m).MapRange(); iter.Next(); {
		r.Overlaps += pending
		pending = 0
		for i := 0; i < 20 && next < 1200; i++ {
			if insert(m, next) {
				r.Growths++
				pending++
			}
			next++
		}
	}
	r.Overlaps += pending
	return r
}

var sink int

var cases = map[string]func() result{
	"one-goroutine": oneGoroutine,
	"early-break":   earlyBreak,
	"nested":        nested,
	"under-lock":    underLock,
	"afterwards":    afterwards,
	"other-map":     otherMap,
	"moving-stack":  movingStack,
	"reflection":    reflection,
}

func main() {
	results := map[string]result{}
	for _, name := range os.Args[1:] {
		run, ok := cases[name]
		if !ok {
			fmt.Fprintln(os.Stderr, "no case", name)
			os.Exit(2)
		}
		results[name] = run()
	}
	text, _ := json.Marshal(results)
	fmt.Println(string(text))
}
