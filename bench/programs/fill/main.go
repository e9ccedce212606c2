// fill does nothing but fill a map[int]int to 10,000 entries, again and again, and prints how many fills it manages per
// second: the worst case for a tracer of map growth.
package main

import (
	"fmt"
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

func main() {
	for {
		fills, start := 0, time.Now()
		for time.Since(start) < time.Second {
			fill()
			fills++
		}
		fmt.Println(fills)
	}
}
