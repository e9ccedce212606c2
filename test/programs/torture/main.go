// torture does everything that has ever broken a Go program under a tracer, all at once, and checks itself: maps that grow
// and churn in many goroutines, a map whose header lives on a stack that moves, deep recursion that grows stacks, a loop
// of runtime.GC() that shrinks them again, and short-lived goroutines.
//
//	torture [-for 60s]
//
// It prints its PID at start and, when the time is up or SIGTERM asks it to end, "OK ..." with counts. A wrong value in a map
// or a frame prints "CORRUPT ..." and ends it with code 1. A tracer should see growth of map[int]int,
// map[string]*main.record, map[uint32]uint64, map[main.point]int and map[interface {}]int.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type record struct {
	key string
	sum uint64
}

type point struct{ x, y int }

var stop uint32

func running() bool { return atomic.LoadUint32(&stop) == 0 }

func corrupt(format string, args ...interface{}) {
	fmt.Println("CORRUPT " + fmt.Sprintf(format, args...))
	os.Exit(1)
}

func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	return x ^ x>>33
}

// fresh fills a new map, checks every value and throws it away.
func fresh(seed int) uint64 {
	m := make(map[int]int)
	n := 50 + seed%3000
	for i := 0; i < n; i++ {
		m[i*seed+i] = i ^ seed
	}
	if len(m) != n {
		corrupt("map[int]int has %d keys, not %d", len(m), n)
	}
	for i := 0; i < n; i++ {
		if v, ok := m[i*seed+i]; !ok || v != i^seed {
			corrupt("map[int]int: key %d has %d, %v", i*seed+i, v, ok)
		}
	}
	return uint64(n)
}

// churner replaces keys in maps of constant size: the classic implementation answers with same-size growth, the other one
// with tombstones.
type churner struct {
	strs map[string]*record
	u32s map[uint32]uint64
	next int
}

const churnSize = 200

func (c *churner) step() uint64 {
	for i := 0; i < 500; i++ {
		key := "session-" + strconv.Itoa(c.next)
		c.strs[key] = &record{key: key, sum: mix(uint64(c.next))}
		c.u32s[uint32(c.next)] = mix(uint64(c.next) + 1)
		if old := c.next - churnSize; old >= 0 {
			delete(c.strs, "session-"+strconv.Itoa(old))
			delete(c.u32s, uint32(old))
		}
		c.next++
	}
	if len(c.strs) != churnSize || len(c.u32s) != churnSize {
		corrupt("churn maps have %d and %d keys, not %d", len(c.strs), len(c.u32s), churnSize)
	}
	for id := c.next - churnSize; id < c.next; id++ {
		key := "session-" + strconv.Itoa(id)
		if r := c.strs[key]; r == nil || r.key != key || r.sum != mix(uint64(id)) {
			corrupt("map[string]*record: %q has %v", key, r)
		}
		if v := c.u32s[uint32(id)]; v != mix(uint64(id)+1) {
			corrupt("map[uint32]uint64: %d has %d", id, v)
		}
	}
	return 1000
}

// dig grows the stack and lets a map grow at the bottom of it; every frame checks itself on the way back.
//
//go:noinline
func dig(depth, seed int) uint64 {
	var frame [16]uint64
	for i := range frame {
		frame[i] = mix(uint64(depth*31 + seed + i))
	}
	var n uint64
	if depth == 0 {
		m := make(map[point]int)
		for i := 0; i < 100; i++ {
			m[point{i, seed}] = i
		}
		for i := 0; i < 100; i++ {
			if m[point{i, seed}] != i {
				corrupt("map[point]int: {%d %d} has %d", i, seed, m[point{i, seed}])
			}
		}
		n = uint64(len(m))
	} else {
		n = dig(depth-1, seed)
	}
	for i := range frame {
		if frame[i] != mix(uint64(depth*31+seed+i)) {
			corrupt("frame at depth %d, word %d", depth, i)
		}
	}
	return n
}

// stackMap has a map whose header never leaves the stack, and moves that stack while the map grows.
//
//go:noinline
func stackMap(seed int) uint64 {
	m := map[int]int{}
	for i := 0; i < 120; i++ {
		m[i] = i + seed
		if i%40 == 7 {
			dig(10+i, seed)
		}
	}
	for i := 0; i < 120; i++ {
		if m[i] != i+seed {
			corrupt("map on the stack: key %d has %d, not %d", i, m[i], i+seed)
		}
	}
	return uint64(len(m))
}

// mixed uses interface keys and a range loop that inserts while it runs.
func mixed(seed int) uint64 {
	m := make(map[interface{}]int)
	for i := 0; i < 60; i++ {
		m[i] = i
		m[strconv.Itoa(i)] = i
	}
	inserted := 0
	for range m {
		if inserted == 300 {
			break
		}
		m[point{inserted, seed}] = inserted
		inserted++
	}
	for i := 0; i < inserted; i++ {
		if m[point{i, seed}] != i {
			corrupt("map[interface{}]int: {%d %d} has %d", i, seed, m[point{i, seed}])
		}
	}
	for i := 0; i < 60; i++ {
		if m[i] != i || m[strconv.Itoa(i)] != i {
			corrupt("map[interface{}]int: %d has %d and %d", i, m[i], m[strconv.Itoa(i)])
		}
	}
	return uint64(len(m))
}

func main() {
	length := flag.Duration("for", 60*time.Second, "how long to run")
	flag.Parse()
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	fmt.Println("pid", os.Getpid())

	var inserted, stacks, collections uint64
	var done sync.WaitGroup
	loop := func(step func(i int)) {
		done.Add(1)
		go func() {
			defer done.Done()
			for i := 1; running(); i++ {
				step(i)
				runtime.Gosched()
			}
		}()
	}
	for w := 0; w < 4; w++ {
		w := w
		loop(func(i int) { atomic.AddUint64(&inserted, fresh(i*4+w)) })
		c := &churner{strs: make(map[string]*record), u32s: make(map[uint32]uint64)}
		loop(func(int) { atomic.AddUint64(&inserted, c.step()) })
		loop(func(i int) { atomic.AddUint64(&inserted, mixed(i)) })
		// A new goroutine has a small stack, which has to grow all the way again.
		loop(func(i int) {
			result := make(chan uint64)
			go func() { result <- dig(40+i%400, i) + stackMap(i) }()
			atomic.AddUint64(&inserted, <-result)
			atomic.AddUint64(&stacks, 1)
		})
	}
	loop(func(int) {
		runtime.GC()
		atomic.AddUint64(&collections, 1)
	})

	select {
	case <-time.After(*length):
	case <-asked:
	}
	atomic.StoreUint32(&stop, 1)
	done.Wait()
	fmt.Printf("OK %d keys inserted, %d stacks grown, %d collections\n", inserted, stacks, collections)
}
