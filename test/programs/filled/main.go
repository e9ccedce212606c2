// filled waits for lines with a number on its standard input, fills its maps up to as many entries, and prints how many
// they have. With 0 it does nothing but wait: its maps are there, and do not grow.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
)

type session struct{ id, hits int }

// On the heap, and kept there.
var (
	ints     = map[int]int{}
	sessions = map[string]*session{}
)

//go:noinline
func fillInts(n int) {
	for i := len(ints); i < n; i++ {
		ints[i] = i
	}
}

//go:noinline
func fillSessions(n int) {
	for i := len(sessions); i < n; i++ {
		sessions[strconv.Itoa(i)] = &session{id: i}
	}
}

func main() {
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		n, _ := strconv.Atoi(in.Text())
		fillInts(n)
		fillSessions(n / 3)
		fmt.Println("filled", len(ints), len(sessions))
	}
}
