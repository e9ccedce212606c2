// Functions without a stack check, in the shapes that decide where a call of them can be seen to begin.
package main

import "os"

var sink int

//go:nosplit
//go:noinline
func leaf(a, b, c int) int { return a*b + c }

// Has a frame, since it calls something.
//
//go:nosplit
//go:noinline
func framed(a, b, c int) int { return leaf(a, b, c) + leaf(c, b, a) }

// Splits before anything is changed.
//
//go:nosplit
//go:noinline
func branchFirst(a, b int) int {
	if a == 0 {
		return b
	}
	return a * b
}

// Changes an argument before it splits.
//
//go:nosplit
//go:noinline
func branchLater(a, b, c, d int) int {
	a *= b
	c += a
	if c > d {
		return a
	}
	return c
}

// Begins with a loop.
//
//go:nosplit
//go:noinline
func loopFirst(n int) int {
	for n > 0 {
		n -= 3
	}
	return n
}

//go:nosplit
//go:noinline
func endless(n int) {
	for {
		sink += n
	}
}

// Compiled to a jump table from Go 1.19 on.
//
//go:nosplit
//go:noinline
func jumpTable(n int) int {
	switch n {
	case 0:
		return 17
	case 1:
		return sink
	case 2:
		return 5 + sink
	case 3:
		return 1
	case 4:
		return sink * 3
	case 5:
		return 90
	case 6:
		return sink - 1
	case 7:
		return 4
	case 8:
		return sink + 77
	}
	return n
}

func main() {
	n := len(os.Args)
	if n > 100 {
		endless(n)
	}
	sink = framed(n, n, n) + branchFirst(n, n) + branchLater(n, n, n, n) + loopFirst(n) + jumpTable(n)
}
