// misuse: one goroutine loops over a map, another writes to it, and there is no lock. The runtime notices and ends the program: "fatal error:
// concurrent map iteration and map write". Nothing can catch that.
//
// Before it comes to that the map has grown to 800 entries. A tracer should see those seven growths, keep them although the program ends without a word to it, and pass on exit code 2.
// The writer then only changes entries that exist, so that no growth comes after those seven. When nothing happens within a minute, the program ends with code 3.
package main

import (
	"fmt"
	"os"
	"runtime"
	"time"

	"../growth"
)

const keys = 800

var (
	prices map[int]int
	sink   int
)

//go:noinline
func fill() {
	for i := 0; i < keys; i++ {
		prices[i] = i
	}
}

//go:noinline
func change() {
	for {
		for i := 0; i < keys; i++ {
			prices[i]++
		}
	}
}

//go:noinline
func loop() {
	for {
		for key, value := range prices {
			sink += key + value
		}
	}
}

func main() {
	// With one processor the two would hardly ever meet.
	runtime.GOMAXPROCS(4)
	prices = make(map[int]int)
	fill()
	growth.Report("misuse", []growth.Site{
		{Fn: "main.fill", Type: "map[int]int", Maps: 1, Growths: growth.Inserting(keys, 0, growth.IntInt)},
	}, nil)
	go change()
	go loop()
	time.Sleep(time.Minute)
	fmt.Fprintln(os.Stderr, "the runtime did not notice")
	os.Exit(3)
}
