// contended never rests: goroutines fill maps under two locks, one fills a map of its own under none, one computes without calling
// anything.
//
//	contended
//
// It prints one JSON object with the addresses of the locks and the ids of the goroutines by what they do, then runs until it is
// ended. A snapshot should show "spin" running in main.spin, those of "mutex" and "rw" waiting for their lock or inside the map, and, as holder
// of a lock during a growth, never any but one of those that use it: "alone" grows maps too, but has no lock.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"unsafe"
)

const most = 300000

type store struct {
	name string
	mu   sync.Mutex
	m    map[int]int
}

//go:noinline
func (s *store) put(k int) {
	s.mu.Lock()
	s.m[k] = k
	if len(s.m) > most {
		s.m = map[int]int{}
	}
	s.mu.Unlock()
}

var (
	rw     sync.RWMutex
	shared = map[int]int{}
	own    map[int]int
	sink   int
)

//go:noinline
func putShared(k int) {
	rw.Lock()
	defer rw.Unlock()
	shared[k] = k
	if len(shared) > most {
		shared = map[int]int{}
	}
}

//go:noinline
func putOwn(k int) {
	own[k] = k
	if len(own) > most {
		own = map[int]int{}
	}
}

//go:noinline
func spin() {
	for x := 1; ; x = x*3 + 1 {
		sink = x
	}
}

// The number in "goroutine 18 [running]:", the only place where a program can see it.
func goid() int {
	var buf [64]byte
	id, err := strconv.Atoi(string(bytes.Fields(buf[:runtime.Stack(buf[:], false)])[1]))
	if err != nil {
		panic(err)
	}
	return id
}

func main() {
	s := &store{name: "store", m: map[int]int{}}
	own = map[int]int{}
	roles := map[string][]int{}
	ids := make(chan int)
	begin := make(chan bool)
	start := func(role string, f func()) {
		go func() {
			ids <- goid()
			<-begin
			f()
		}()
		roles[role] = append(roles[role], <-ids)
	}
	for w := 0; w < 6; w++ {
		w := w
		start("mutex", func() {
			for i := w; ; i += 6 {
				s.put(i)
			}
		})
		start("rw", func() {
			for i := w; ; i += 6 {
				putShared(i)
			}
		})
	}
	start("alone", func() {
		for i := 0; ; i++ {
			putOwn(i)
		}
	})
	start("spin", spin)
	address := func(p unsafe.Pointer) string { return fmt.Sprintf("0x%x", uintptr(p)) }
	line, err := json.Marshal(map[string]interface{}{
		"mutex": address(unsafe.Pointer(&s.mu)),
		"rw":    address(unsafe.Pointer(&rw)),
		"roles": roles,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(string(line))
	close(begin)
	select {}
}
