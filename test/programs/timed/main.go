// timed runs on a Go runtime that measures its own map growth (an overlay adds runtime.GrowthTimes), so that a tracer's durations can be
// compared with the truth. One goroutine on one thread fills and churns maps with all four kinds of key; no garbage is collected meanwhile.
//
//	timed maps-per-kind file
//
// It writes one JSON object into the file: for each measured function "calls", their "sum" and "first", pairs of beginning and end; "wall" and
// "cpu", the time that the work took and the processor time of its thread in it. All are nanoseconds, points in time of the monotonic clock.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"
)

type pair struct{ a, b int }

const (
	keys = 3000
	// What stays of the keys in a map that churns.
	window = 300
)

var (
	names [keys]string
	sink  int
)

//go:noinline
func ints(window int) {
	m := make(map[int]int)
	for i := 0; i < keys; i++ {
		m[i] = i
		if i >= window {
			delete(m, i-window)
		}
	}
	sink += len(m)
}

//go:noinline
func int32s(window int) {
	m := make(map[int32]int)
	for i := 0; i < keys; i++ {
		m[int32(i)] = i
		if i >= window {
			delete(m, int32(i-window))
		}
	}
	sink += len(m)
}

//go:noinline
func strs(window int) {
	m := make(map[string]int)
	for i := 0; i < keys; i++ {
		m[names[i]] = i
		if i >= window {
			delete(m, names[i-window])
		}
	}
	sink += len(m)
}

//go:noinline
func pairs(window int) {
	m := make(map[pair]int)
	for i := 0; i < keys; i++ {
		m[pair{i, 1}] = i
		if i >= window {
			delete(m, pair{i - window, 1})
		}
	}
	sink += len(m)
}

// getrusage(RUSAGE_THREAD) is not in package syscall's constants.
const rusageThread = 1

func cpuTime() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(rusageThread, &usage); err != nil {
		fmt.Fprintln(os.Stderr, "getrusage:", err)
		os.Exit(1)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

type function struct {
	Calls uint64     `json:"calls"`
	Sum   uint64     `json:"sum"`
	First [][2]int64 `json:"first"`
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: timed maps-per-kind file")
		os.Exit(2)
	}
	maps, err := strconv.Atoi(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	for i := range names {
		names[i] = "key-" + strconv.Itoa(i)
	}
	debug.SetGCPercent(-1)
	runtime.LockOSThread()
	runtime.GC()

	start, cpu := time.Now(), cpuTime()
	for i := 0; i < maps; i++ {
		for _, kind := range []func(int){ints, int32s, strs, pairs} {
			if i%4 == 3 {
				kind(window)
			} else {
				kind(keys)
			}
		}
	}
	wall := time.Since(start)
	cpu = cpuTime() - cpu

	// What is written down must not grow while it is.
	called, calls, sums, first := runtime.GrowthTimes()
	functions := make(map[string]function, 2*len(called))
	for i, name := range called {
		functions[name] = function{calls[i], sums[i], first[i]}
	}
	file, err := os.Create(os.Args[2])
	if err == nil {
		err = json.NewEncoder(file).Encode(map[string]interface{}{
			"functions": functions, "wall": wall.Nanoseconds(), "cpu": cpu,
		})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
