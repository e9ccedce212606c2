// fill does nothing but fill a map[int]int to 10,000 entries, again and again: the worst case for a tracer of map growth. Each interval
// (default 100ms) it prints how many fills there have been, the time of the day and the CPU time of the process, in nanoseconds.
//
//	fill [interval]
package main

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

var sink map[int]int

func fill() {
	m := map[int]int{}
	for i := 0; i < 10000; i++ {
		m[i] = i
	}
	sink = m
}

func cpuTime() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fmt.Fprintln(os.Stderr, "getrusage:", err)
		os.Exit(1)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func main() {
	interval := 100 * time.Millisecond
	if len(os.Args) > 1 {
		var err error
		if interval, err = time.ParseDuration(os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, "usage: fill [interval]:", err)
			os.Exit(2)
		}
	}
	next := time.Now().Add(interval)
	for fills := 0; ; fills++ {
		if now := time.Now(); now.After(next) {
			fmt.Println(fills, now.UnixNano(), cpuTime())
			next = now.Add(interval)
		}
		fill()
	}
}
