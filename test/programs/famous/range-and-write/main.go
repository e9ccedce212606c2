// range-and-write: one goroutine loops over a map while another writes to it, both under the same lock, which the loop lets go in
// its body. That is allowed, and it is the usual way in which a map comes to grow in the middle of a loop.
//
// The map has 50 entries when the loop begins; at each of its first ten steps the writer adds 30 new ones, so that it doubles three times
// under the loop, at the same counts as without it. A tracer should see those three with iterating set (classic maps, for the first: the
// flag moves on when the map grows), and the growths before the loop without.
package main

import (
	"sync"

	"../growth"
)

var (
	mu     sync.Mutex
	prices map[int]int
)

//go:noinline
func fill(from, n int) {
	for i := from; i < from+n; i++ {
		prices[i] = i
	}
}

//go:noinline
func write(wanted chan int, done chan bool) {
	for from := range wanted {
		mu.Lock()
		fill(from, 30)
		mu.Unlock()
		done <- true
	}
}

//go:noinline
func loop(wanted chan int, done chan bool) int {
	seen := 0
	mu.Lock()
	for range prices {
		seen++
		if seen > 10 {
			break
		}
		mu.Unlock()
		wanted <- 50 + (seen-1)*30
		<-done
		mu.Lock()
	}
	mu.Unlock()
	return seen
}

func main() {
	prices = make(map[int]int)
	fill(0, 50)
	wanted, done := make(chan int), make(chan bool)
	go write(wanted, done)
	seen := loop(wanted, done)
	close(wanted)
	all := growth.Inserting(350, 0, growth.IntInt)
	during := 0
	for _, g := range all {
		if g.Count >= 50 {
			during++
		}
	}
	growth.Report("range-and-write", []growth.Site{{Fn: "main.fill", Type: "map[int]int", Maps: 1, Growths: all}},
		map[string]interface{}{"entries": len(prices), "steps": seen, "during": during})
}
