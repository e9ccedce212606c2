// Makes maps at several lines, as many as it is asked for, and prints how many it has made at each: what a tool that
// counts them is compared with.
package main

import (
	"encoding/json"
	"os"
	"strconv"
	"time"
)

var (
	kept  map[int]int
	names map[string]string
	sum   int
)

// Without a hint; one in ten gets 100 entries, the others 3.
//
//go:noinline
func plain(entries int) map[int]int {
	m := make(map[int]int)
	for i := 0; i < entries; i++ {
		m[i] = i
	}
	return m
}

// With a hint that is a constant, and far too large.
//
//go:noinline
func hinted() map[int]int {
	m := make(map[int]int, 100)
	for i := 0; i < 20; i++ {
		m[i] = i
	}
	return m
}

// With a hint that varies, which all entries fit into.
//
//go:noinline
func counted(entries int) map[string]string {
	m := make(map[string]string, entries)
	m["entries"] = "many"
	return m
}

// On the stack: nothing of it leaves the function.
//
//go:noinline
func local(entries int) int {
	m := make(map[int]int)
	for i := 0; i < entries; i++ {
		m[i] = i
	}
	return len(m)
}

// Called through the frames of others.
//
//go:noinline
func deep(depth int) map[int]int {
	if depth > 0 {
		return deep(depth - 1)
	}
	return make(map[int]int)
}

func main() {
	rounds := 1000
	if len(os.Args) > 1 {
		rounds, _ = strconv.Atoi(os.Args[1])
	}
	if len(os.Args) > 2 {
		wait, _ := time.ParseDuration(os.Args[2])
		time.Sleep(wait)
	}
	made := map[string]int{}
	for i := 0; i < rounds; i++ {
		if i%10 == 0 {
			kept = plain(100)
			made["plain100"]++
		} else {
			kept = plain(3)
		}
		made["plain"]++
		kept = hinted()
		made["hinted"]++
		names = counted(i % 40)
		made["counted"]++
		if i%40 > 8 {
			made["counted9"]++
		}
		sum += local(3 + i%2*30)
		made["local"]++
		made["local33"] += i % 2
		kept = deep(i % 5)
		made["deep"]++
		clones(made)
	}
	made["entries"] = sum
	json.NewEncoder(os.Stdout).Encode(made)
}
