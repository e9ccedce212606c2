// A program whose functions have frames of all sizes that the compiler checks the stack for in different ways.
package main

import (
	"fmt"
	"os"
)

//go:noinline
func small(n int) byte { return medium(n) + medium(n+1) }

//go:noinline
func medium(n int) byte {
	var a [1000]byte
	fill(a[:], n)
	return large(n) + a[n%1000]
}

//go:noinline
func large(n int) byte {
	var a [5000]byte
	fill(a[:], n)
	return huge(n) + a[n%5000]
}

//go:noinline
func huge(n int) byte {
	var a [70000]byte
	fill(a[:], n)
	return enormous(n) + a[n%70000]
}

//go:noinline
func enormous(n int) byte {
	var a [1000000]byte
	fill(a[:], n)
	return a[n%1000000]
}

//go:noinline
func fill(b []byte, n int) { b[n%len(b)] = byte(n) }

func main() {
	m := map[int]string{}
	for i := range os.Args {
		m[i] = fmt.Sprint(small(i))
	}
	fmt.Println(len(m))
}
