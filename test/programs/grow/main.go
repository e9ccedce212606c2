// grow puts n keys, one at a time, into an empty map that was made without a size hint, and says how many there are.
//
//	grow int|i32|str|pair|big n [rounds] [delay before start]
//
// What a tracer should see for n = 2000, per round:
//
//	Go <= 1.23   nine hashGrow at counts 8, 13, 26, 52, 104, 208, 416, 832, 1664 (Go 1.21: 8, 12, 24, ... 1536),
//	             buckets 2^0 to 2^9, and between them the growWork and evacuate variant of the key type
//	Go >= 1.24   one growToTable and nine rehash: six doublings (16 to 1024 slots) and three splits
//
// The map types are map[int]int, map[int32]int32, map[string]*main.node, map[main.pair]bool and map[int]main.bigval; the
// first frame outside the runtime is the function of the kind (growInt, ...), called by main.main.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

type node struct {
	id   int
	next *node
}

type pair struct{ a, b int }

// A value of more than 128 bytes keeps the classic runtime from using its fast variants.
type bigval [22]uint64

// The maps are stored here, so that they live on the heap.
var (
	ints  map[int]int
	i32s  map[int32]int32
	strs  map[string]*node
	pairs map[pair]bool
	bigs  map[int]bigval
)

//go:noinline
func growInt(n int) int {
	ints = make(map[int]int)
	for i := 0; i < n; i++ {
		ints[i] = i // grows: int
	}
	return len(ints)
}

//go:noinline
func growI32(n int) int {
	i32s = make(map[int32]int32)
	for i := 0; i < n; i++ {
		i32s[int32(i)] = int32(i) // grows: i32
	}
	return len(i32s)
}

//go:noinline
func growStr(n int) int {
	strs = make(map[string]*node)
	for i := 0; i < n; i++ {
		strs["key-"+strconv.Itoa(i)] = &node{id: i} // grows: str
	}
	return len(strs)
}

//go:noinline
func growPair(n int) int {
	pairs = make(map[pair]bool)
	for i := 0; i < n; i++ {
		pairs[pair{i, -i}] = true // grows: pair
	}
	return len(pairs)
}

//go:noinline
func growBig(n int) int {
	bigs = make(map[int]bigval)
	for i := 0; i < n; i++ {
		bigs[i] = bigval{uint64(i)} // grows: big
	}
	return len(bigs)
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: grow int|i32|str|pair|big n [rounds] [delay]")
	os.Exit(2)
}

func main() {
	if len(os.Args) < 3 {
		usage()
	}
	n, err := strconv.Atoi(os.Args[2])
	if err != nil {
		usage()
	}
	rounds := 1
	if len(os.Args) > 3 {
		if rounds, err = strconv.Atoi(os.Args[3]); err != nil {
			usage()
		}
	}
	if len(os.Args) > 4 {
		delay, err := time.ParseDuration(os.Args[4])
		if err != nil {
			usage()
		}
		time.Sleep(delay)
	}
	total := 0
	for r := 0; r < rounds; r++ {
		switch os.Args[1] {
		case "int":
			total += growInt(n)
		case "i32":
			total += growI32(n)
		case "str":
			total += growStr(n)
		case "pair":
			total += growPair(n)
		case "big":
			total += growBig(n)
		default:
			usage()
		}
	}
	fmt.Println(total)
}
