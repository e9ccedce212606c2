// Fills maps of several kinds, deletes from them and ranges over them: `inlined KIND ROUNDS`; KIND may be "all". Built with the tag
// `counted`, on a runtime that counts the calls of its growth functions, it prints those as JSON.
package main

import (
	"fmt"
	"os"
	"strconv"
)

const keys = 800

type point struct{ x, y, z int64 }

var (
	names [keys]string
	sink  int
	// What the runtime has counted, if it counts.
	counted func() string
)

//go:noinline
func fillString() {
	m := make(map[string]int)
	for i, name := range names {
		m[name] = i
	}
	sink += len(m)
}

//go:noinline
func fillInt64() {
	m := make(map[int64]int)
	for i := 0; i < keys; i++ {
		m[int64(i)] = i
	}
	sink += len(m)
}

//go:noinline
func fillInt32() {
	m := make(map[int32]int)
	for i := 0; i < keys; i++ {
		m[int32(i)] = i
	}
	sink += len(m)
}

//go:noinline
func fillPoint() {
	m := make(map[point]int)
	for i := 0; i < keys; i++ {
		m[point{int64(i), 1, 2}] = i
	}
	sink += len(m)
}

// 2,000 keys make a swiss map split its tables.
//
//go:noinline
func fillSplit() {
	m := make(map[int64]int)
	for i := 0; i < 2000; i++ {
		m[int64(i)] = i
	}
	sink += len(m)
}

// A small map alone: from 8 slots to the first table or to two buckets.
//
//go:noinline
func fillSmall() {
	m := make(map[int64]int)
	for i := 0; i < 9; i++ {
		m[int64(i)] = i
	}
	sink += len(m)
}

// Deletes while the map grows.
//
//go:noinline
func fillAndDelete() {
	m := make(map[int64]int)
	for i := 0; i < keys; i++ {
		m[int64(i)] = i
	}
	for i := 0; i < keys; i++ {
		delete(m, int64(i))
	}
	sink += len(m)
}

//go:noinline
func rangeOver(m map[int64]int) {
	for k := range m {
		sink += int(k)
	}
}

// Grows a map in the body of a range over it.
//
//go:noinline
func growInRange() {
	m := map[int64]int{}
	for i := 0; i < 13; i++ {
		m[int64(i)] = i
	}
	n := 0
	for k := range m {
		if n == 0 {
			for i := 0; i < 40; i++ {
				m[1000+int64(i)] = int(k)
			}
		}
		if n++; n > 5 {
			break
		}
	}
	sink += len(m)
}

// Deletes and inserts, so that swiss maps fill up with tombstones.
//
//go:noinline
func churn() {
	m := make(map[int64]int)
	for i := 0; i < 4000; i++ {
		m[int64(i)] = i
		if i >= 200 {
			delete(m, int64(i-200))
		}
	}
	sink += len(m)
}

func main() {
	kind := os.Args[1]
	rounds, _ := strconv.Atoi(os.Args[2])
	for i := range names {
		names[i] = "key" + strconv.Itoa(i)
	}
	big := map[int64]int{}
	for i := 0; i < 2000; i++ {
		big[int64(i)] = i
	}
	kinds := []struct {
		name string
		run  func()
	}{
		{"string", fillString}, {"int64", fillInt64}, {"int32", fillInt32}, {"point", fillPoint}, {"split", fillSplit},
		{"small", fillSmall}, {"delete", fillAndDelete}, {"churn", churn},
		{"range", func() { rangeOver(big); growInRange() }},
	}
	for i := 0; i < rounds; i++ {
		for _, k := range kinds {
			if kind == k.name || kind == "all" {
				k.run()
			}
		}
	}
	truth := ""
	if counted != nil {
		truth = counted()
	}
	fmt.Println(sink)
	fmt.Println(truth)
}
