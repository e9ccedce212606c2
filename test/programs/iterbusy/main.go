// iterbusy ranges over one map again and again, and inserts a key between two rounds, so that the map grows now and then, but never while it is iterated.
//
//	iterbusy SECONDS [KEYS]
//
// With KEYS the map has so many from the beginning, and does not grow any more: iterations of a map that is growing are slower.
//
// Each 50 ms it prints how many steps its iterations have taken, and the monotonic time in nanoseconds; at its end "OK".
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

func main() {
	seconds, keys := 0, 0
	if len(os.Args) >= 2 {
		seconds, _ = strconv.Atoi(os.Args[1])
	}
	if len(os.Args) >= 3 {
		keys, _ = strconv.Atoi(os.Args[2])
	}
	if seconds < 1 {
		fmt.Fprintln(os.Stderr, "usage: iterbusy SECONDS [KEYS]")
		os.Exit(2)
	}
	m := map[int]int{}
	for len(m) < keys {
		m[len(m)] = len(m)
	}
	steps, sum := 0, 0
	start := time.Now()
	told := time.Duration(0)
	for {
		if keys == 0 {
			m[len(m)] = len(m)
		}
		for _, v := range m {
			sum += v
			steps++
		}
		elapsed := time.Since(start)
		if elapsed-told < 50*time.Millisecond {
			continue
		}
		told = elapsed
		fmt.Println(steps, elapsed.Nanoseconds())
		if elapsed > time.Duration(seconds)*time.Second {
			break
		}
	}
	if sum < 0 {
		os.Exit(1)
	}
	fmt.Println("OK")
}
