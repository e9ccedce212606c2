// counted is the ground truth for counts: 16 goroutines at 16 stack depths fill maps again and again while another one
// collects garbage, and the runtime itself counts the calls of its growth functions. It compiles only with an overlay that
// adds those counters and runtime.GrowthCalls to the runtime (test/support/overlay.ts).
//
//	counted insertions keys-per-map [pause between two maps]
//
// It prints one JSON object a line: {"phase":"ready","calls":{"runtime.hashGrow":0,...}} when it has started, then waits
// for a line on standard input, works, and prints the same with "phase":"end". A tracer that was attached between the two
// must have counted exactly the difference; one that was there from the first instruction exactly the second.
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
	"time"
)

const workers = 16

//go:noinline
func fill(m map[int]int, keys int) int {
	for i := 0; i < keys; i++ {
		m[i] = i
	}
	return len(m)
}

// A frame of some size, so that the stack check of the growth functions finds little room at some of the depths: the
// collector shrinks the stacks between two fills.
//
//go:noinline
func descend(depth, keys int) int {
	var frame [24]uint64
	for i := range frame {
		frame[i] = uint64(depth + i)
	}
	var n int
	if depth == 0 {
		n = fill(make(map[int]int), keys)
	} else {
		n = descend(depth-1, keys)
	}
	if frame[depth%len(frame)] != uint64(depth+depth%len(frame)) {
		fmt.Println("CORRUPT: a stack frame changed")
		os.Exit(1)
	}
	return n
}

func work(worker, fills, keys int, pause time.Duration) {
	for i := 0; i < fills; i++ {
		if pause > 0 {
			time.Sleep(pause)
		}
		if n := descend(worker*3, keys); n != keys {
			fmt.Println("CORRUPT:", n, "keys in a map of", keys)
			os.Exit(1)
		}
	}
}

// No map is written on the way from reading the counters to the end of the line.
func report(phase string) {
	names, calls := runtime.GrowthCalls()
	fields := make([]string, len(names))
	for i, name := range names {
		fields[i] = strconv.Quote(name) + ":" + strconv.FormatUint(calls[i], 10)
	}
	fmt.Printf("{\"phase\":%q,\"pid\":%d,\"calls\":{%s}}\n", phase, os.Getpid(), strings.Join(fields, ","))
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
			default:
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
