// counted runs on a Go runtime that counts the calls of its own growth functions (an overlay adds runtime.GrowthCalls), so that a
// tracer's counts can be compared with the truth. 16 goroutines at 16 stack depths grow and churn maps of all four kinds of key that the
// runtime has functions for, while another one collects garbage and thereby shrinks their stacks. Every map's contents are checked.
//
//	counted insertions keys-per-map [pause between two maps]
//
// It prints one JSON object a line: {"phase":"ready","calls":{"runtime.hashGrow":0,...}} when it has started, then waits
// for a line on standard input, works, and prints the same with "phase":"end" and the sum of all values that were in its maps at the
// end. A tracer that was attached between the two must have counted exactly the difference; one that was there from the first
// instruction exactly the second.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const workers = 16

type pair struct{ a, b int }

var names []string

func corrupt(format string, args ...interface{}) {
	fmt.Println("CORRUPT " + fmt.Sprintf(format, args...))
	os.Exit(1)
}

// Each of these puts the keys from 0 to keys-1 into a new map, one by one, and keeps only the newest `window` of them; the value of a
// key is its number. They return the sum of the values that are left.

//go:noinline
func ints(keys, window int) (sum int) {
	m := make(map[int]int)
	for i := 0; i < keys; i++ {
		m[i] = i
		if i >= window {
			delete(m, i-window)
		}
	}
	for k, v := range m {
		if k != v {
			corrupt("map[int]int: %d has %d", k, v)
		}
		sum += v
	}
	return
}

//go:noinline
func int32s(keys, window int) (sum int) {
	m := make(map[int32]int)
	for i := 0; i < keys; i++ {
		m[int32(i)] = i
		if i >= window {
			delete(m, int32(i-window))
		}
	}
	for k, v := range m {
		if int(k) != v {
			corrupt("map[int32]int: %d has %d", k, v)
		}
		sum += v
	}
	return
}

//go:noinline
func strs(keys, window int) (sum int) {
	m := make(map[string]int)
	for i := 0; i < keys; i++ {
		m[names[i]] = i
		if i >= window {
			delete(m, names[i-window])
		}
	}
	for k, v := range m {
		if k != names[v] {
			corrupt("map[string]int: %s has %d", k, v)
		}
		sum += v
	}
	return
}

//go:noinline
func pairs(keys, window int) (sum int) {
	m := make(map[pair]int)
	for i := 0; i < keys; i++ {
		m[pair{i, 1}] = i
		if i >= window {
			delete(m, pair{i - window, 1})
		}
	}
	for k, v := range m {
		if k.a != v {
			corrupt("map[pair]int: %v has %d", k, v)
		}
		sum += v
	}
	return
}

var kinds = []func(keys, window int) int{ints, int32s, strs, pairs}

// A frame of some size, so that the stack check of the growth functions finds little room at some of the depths: the
// collector shrinks the stacks between two fills.
//
//go:noinline
func descend(depth int, bottom func() int) int {
	var frame [24]uint64
	for i := range frame {
		frame[i] = uint64(depth + i)
	}
	var n int
	if depth == 0 {
		n = bottom()
	} else {
		n = descend(depth-1, bottom)
	}
	if frame[depth%len(frame)] != uint64(depth+depth%len(frame)) {
		corrupt("a stack frame changed")
	}
	return n
}

var total int64

// Of four rounds over all kinds one churns: a tenth of the keys stays.
func work(worker, fills, keys int, pause time.Duration) {
	for i := 0; i < fills; i++ {
		if pause > 0 {
			time.Sleep(pause)
		}
		kind, window := kinds[(i+worker)%len(kinds)], keys
		if i/len(kinds)%4 == 3 {
			window = keys/10 + 1
		}
		sum := descend(worker*3, func() int { return kind(keys, window) })
		if wanted := sumOfLast(keys, window); sum != wanted {
			corrupt("the values add up to %d, not %d", sum, wanted)
		}
		atomic.AddInt64(&total, int64(sum))
	}
}

func sumOfLast(keys, window int) int {
	return (keys-1)*keys/2 - (keys-window-1)*(keys-window)/2
}

// No map is written on the way from reading the counters to the end of the line.
func report(phase string) {
	names, calls := runtime.GrowthCalls()
	fields := make([]string, len(names))
	for i, name := range names {
		fields[i] = strconv.Quote(name) + ":" + strconv.FormatUint(calls[i], 10)
	}
	fmt.Printf("{\"phase\":%q,\"pid\":%d,\"total\":%d,\"calls\":{%s}}\n", phase, os.Getpid(), total, strings.Join(fields, ","))
}

func arguments() (insertions, keys int, pause time.Duration, err error) {
	if len(os.Args) < 3 || len(os.Args) > 4 {
		return 0, 0, 0, errors.New("two or three arguments")
	}
	if insertions, err = strconv.Atoi(os.Args[1]); err != nil {
		return
	}
	if keys, err = strconv.Atoi(os.Args[2]); err != nil {
		return
	}
	if keys < 1 {
		return 0, 0, 0, errors.New("no keys")
	}
	if len(os.Args) == 4 {
		pause, err = time.ParseDuration(os.Args[3])
	}
	return
}

func main() {
	insertions, keys, pause, err := arguments()
	if err != nil {
		fmt.Fprintln(os.Stderr, "usage: counted insertions keys-per-map [pause]:", err)
		os.Exit(2)
	}
	// More threads than CPUs: the kernel preempts them in the middle of a growth.
	runtime.GOMAXPROCS(2 * runtime.NumCPU())
	names = make([]string, keys)
	for i := range names {
		names[i] = "key-" + strconv.Itoa(i)
	}
	report("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		fmt.Fprintln(os.Stderr, "no line on standard input:", err)
		os.Exit(2)
	}

	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				runtime.GC()
			}
		}
	}()
	fills := insertions/keys/workers + 1
	var done sync.WaitGroup
	for w := 0; w < workers; w++ {
		done.Add(1)
		go func(w int) {
			defer done.Done()
			work(w, fills, keys, pause)
		}(w)
	}
	done.Wait()
	close(stop)
	<-stopped
	report("end")
}
