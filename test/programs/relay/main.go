// relay grows a map, as grow does with 2,000 ints, each time that it reads a line from standard input. A line with words makes it execute those as a
// command in its place.
//
//	relay
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
)

var sink map[int]int

//go:noinline
func growInt(n int) int {
	sink = make(map[int]int)
	for i := 0; i < n; i++ {
		sink[i] = i
	}
	return len(sink)
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if words := strings.Fields(lines.Text()); len(words) > 0 {
			if err := syscall.Exec(words[0], words, os.Environ()); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
		fmt.Println(growInt(2000))
	}
}
