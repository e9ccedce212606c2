// depths grows a map at the bottom of so many calls of main.down, for each of the given numbers, and then in inlined functions: main.put is
// inlined into main.putTwice, and that into main.inlining.
//
//	depths number...
package main

import (
	"fmt"
	"os"
	"strconv"
)

//go:noinline
func bottom() int {
	m := make(map[int32]int)
	for i := int32(0); i < 9; i++ {
		m[i] = 1 // grows
	}
	return len(m)
}

//go:noinline
func down(n int) int {
	if n == 1 {
		return bottom() + n - 1
	}
	return down(n-1) + n - n
}

func put(m map[int]int, k int) { m[k] = k }

func putTwice(m map[int]int, k int) {
	put(m, k)
	put(m, k+1)
}

//go:noinline
func inlining() int {
	m := make(map[int]int)
	for i := 0; i < 10; i += 2 {
		putTwice(m, i)
	}
	return len(m)
}

func main() {
	sum := 0
	for _, arg := range os.Args[1:] {
		n, err := strconv.Atoi(arg)
		if err != nil || n < 1 {
			fmt.Fprintln(os.Stderr, "usage: depths number...")
			os.Exit(2)
		}
		sum += down(n)
	}
	fmt.Println(sum + inlining())
}
