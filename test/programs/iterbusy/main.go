// iterbusy ranges over one map again and again, and inserts a key between two rounds, so that the map grows now and then, but never while it is iterated.
//
//	iterbusy SECONDS
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
	seconds := 0
	if len(os.Args) == 2 {
		seconds, _ = strconv.Atoi(os.Args[1])
	}
	if seconds < 1 {
		fmt.Fprintln(os.Stderr, "usage: iterbusy SECONDS")
		os.Exit(2)
	}
	m := map[int]int{}
	steps, sum := 0, 0
	start := time.Now()
	told := time.Duration(0)
	for {
		m[len(m)] = len(m)
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
