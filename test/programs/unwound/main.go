// unwound leaves growth functions in all ways that there are: they return, after the goroutine has changed threads or its stack has moved, in
// finalizers, too; a
// panic unwinds them, since a key of the map cannot be hashed any more, and is recovered; or the goroutine ends instead (runtime.Goexit).
// It runs on a Go runtime that measures its own map growth (an overlay adds runtime.GrowthTimes).
//
//	unwound goroutines
//
// It prints one JSON object: for each measured function how many calls have returned ("calls"), the sum of their durations and those of the
// first ones, in nanoseconds; "left", how many calls of each function a panic has unwound; "wall", the time that it all took.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"io/ioutil"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// A key of this type can be hashed as long as what it holds can.
type box struct{ held interface{} }

type eface struct {
	typ  unsafe.Pointer
	data *box
}

// poison makes the key unhashable, wherever it has been copied to: an interface points to what it holds.
func poison(key *interface{}) { (*eface)(unsafe.Pointer(key)).data.held = []int{1} }

var (
	mu   sync.Mutex
	left = map[string]int{}
)

func isGrowth(fn string) bool {
	switch fn {
	case "runtime.hashGrow", "internal/runtime/maps.(*Map).growToTable":
		return true
	}
	for _, prefix := range []string{"runtime.growWork", "runtime.evacuate", "internal/runtime/maps.(*table)."} {
		if strings.HasPrefix(fn, prefix) {
			switch strings.TrimPrefix(fn, "internal/runtime/maps.(*table).") {
			case "uncheckedPutSlot":
				return false
			}
			return true
		}
	}
	return false
}

// countUnwound is called while a panic unwinds the stack: the frames are still there.
func countUnwound() {
	pcs := make([]uintptr, 100)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs)])
	mu.Lock()
	defer mu.Unlock()
	for {
		frame, more := frames.Next()
		if isGrowth(frame.Function) {
			left[frame.Function]++
		}
		if !more {
			return
		}
	}
}

// tear grows a map of so many entries until one of them cannot be hashed, and gives the map up. Returns whether that came to pass.
func tear(entries int, exit bool) (torn bool) {
	m := make(map[interface{}]int)
	key := interface{}(box{1})
	m[key] = 1
	for i := 1; i < entries; i++ {
		m[i] = i
	}
	poison(&key)
	defer func() {
		if recover() == nil {
			return
		}
		torn = true
	}()
	defer func() {
		countUnwound()
		if exit {
			runtime.Goexit()
		}
	}()
	for i := entries; i < 3*entries; i++ {
		m[i] = i
	}
	return
}

//go:noinline
func grow(n, seed int) int {
	m := make(map[int]int)
	for i := 0; i < n; i++ {
		m[i*seed] = i
		if i%64 == 0 {
			runtime.Gosched()
		}
	}
	return len(m)
}

//go:noinline
func deep(depth, n, seed int) int {
	var frame [16]int
	frame[depth%16] = depth
	if depth == 0 {
		return grow(n, seed)
	}
	return deep(depth-1, n, seed) + frame[depth%16] - depth
}

func wanderer(id int) {
	for i := 0; i < 2; i++ {
		if i == 0 {
			runtime.LockOSThread()
		}
		if got := deep(id%90, 100+id%300, id*4+i+1); got != 100+id%300 {
			fmt.Println("CORRUPT: a map has", got, "entries")
			os.Exit(1)
		}
		if i == 0 {
			runtime.UnlockOSThread()
		}
	}
}

var finalizers, finalized int32

// A finalizer grows a map, in a goroutine of the runtime, whenever the collector finds that the object is garbage.
func growInFinalizer() {
	atomic.AddInt32(&finalizers, 1)
	runtime.SetFinalizer(new([4]uintptr), func(*[4]uintptr) {
		grow(200, 3)
		atomic.AddInt32(&finalized, 1)
	})
}

// Entries with which the next one makes a map grow, in each of its ways: to its first table or to two buckets, a table's doubling and its
// split (896 of 1,024 slots), which are doublings of classic maps.
var torn = []int{8, 14, 28, 104, 896}

type function struct {
	Calls uint64   `json:"calls"`
	Sum   uint64   `json:"sum"`
	First []uint64 `json:"first"`
}

func main() {
	goroutines, err := strconv.Atoi(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "usage: unwound goroutines")
		os.Exit(2)
	}
	runtime.GOMAXPROCS(4)
	start := time.Now()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(3 * time.Millisecond):
				runtime.GC()
			}
		}
	}()
	var done sync.WaitGroup
	for g := 0; g < goroutines; g++ {
		done.Add(1)
		go func(g int) {
			defer done.Done()
			wanderer(g)
			if g%5 == 1 {
				growInFinalizer()
			}
			if g%10 != 0 {
				return
			}
			// Twice in one goroutine, which goes on after the first time and may end the second.
			for i := 0; i < 2; i++ {
				if !tear(torn[g/10%len(torn)], i == 1 && g%20 == 0) {
					fmt.Println("CORRUPT: no panic")
					os.Exit(1)
				}
			}
			wanderer(g)
		}(g)
	}
	done.Wait()
	for atomic.LoadInt32(&finalized) < finalizers {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	close(stop)
	<-stopped
	wall := time.Since(start)

	// Nothing may grow any more when the times are read, and the encoder has maps of its own: it must have seen all types before.
	write(ioutil.Discard, wall)
	write(os.Stdout, wall)
}

func write(to io.Writer, wall time.Duration) {
	called, calls, sums, first := runtime.GrowthTimes()
	functions := make(map[string]function, 2*len(called))
	for i, name := range called {
		one := function{Calls: calls[i], Sum: sums[i], First: []uint64{}}
		for _, times := range first[i] {
			one.First = append(one.First, uint64(times[1]-times[0]))
		}
		functions[name] = one
	}
	err := json.NewEncoder(to).Encode(map[string]interface{}{
		"functions": functions, "left": left, "wall": wall.Nanoseconds(),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
