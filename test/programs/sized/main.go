// Makes maps without a hint: some that become large, and some that need none. Prints what it allocated meanwhile.
package main

import (
	"flag"
	"fmt"
	"runtime"
)

var what = flag.String("what", "fixed", "fixed, two, huge or tiny")

type index struct{ m map[int]int }
type wide struct{ b [120]byte }

var sink *index
var wides map[int]wide

//go:noinline
func newIndex() *index {
	return &index{m: make(map[int]int)}
}

//go:noinline
func (x *index) fill(n int) {
	for i := 0; i < n; i++ {
		x.m[i*7919] = i
	}
}

// Two lines that make maps, one that grows them.
//
//go:noinline
func newSmall() *index {
	m := map[int]int{}
	return &index{m}
}

//go:noinline
func newLarge() *index {
	return &index{m: make(map[int]int)}
}

//go:noinline
func huge(n int) map[int]wide {
	m := make(map[int]wide)
	for i := 0; i < n; i++ {
		m[i*31] = wide{}
	}
	return m
}

// Of a hundred maps one grows.
//
//go:noinline
func newTiny() *index {
	return &index{m: make(map[int]int)}
}

func round(i int) {
	switch *what {
	case "fixed":
		sink = newIndex()
		sink.fill(3000)
	case "two":
		sink = newSmall()
		sink.fill(40)
		sink = newLarge()
		sink.fill(1500)
	case "huge":
		wides = huge(500)
	case "tiny":
		for j := 0; j < 100; j++ {
			sink = newTiny()
			if j == 50 {
				sink.fill(100)
			} else {
				sink.fill(3)
			}
		}
	}
}

func main() {
	flag.Parse()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := 0; i < 25; i++ {
		round(i)
	}
	runtime.ReadMemStats(&after)
	fmt.Println(after.TotalAlloc - before.TotalAlloc)
}
