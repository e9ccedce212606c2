// relay grows a map, as grow does with 2,000 ints, each time that it reads a line from standard input. A line with words makes it execute those as a
// command in its place; with "&" before them it starts that command as a child instead (fork and exec) and prints its PID. The line ">" is passed
// on to the child, as an empty one, and so is the end of standard input.
//
//	relay
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
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

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func start(words []string) (*exec.Cmd, io.WriteCloser) {
	command := exec.Command(words[0], words[1:]...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	input, err := command.StdinPipe()
	check(err)
	check(command.Start())
	fmt.Println(command.Process.Pid)
	return command, input
}

func main() {
	var child *exec.Cmd
	var input io.WriteCloser
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		switch {
		case len(words) == 0:
			fmt.Println(growInt(2000))
		case words[0] == "&":
			child, input = start(words[1:])
		case words[0] == ">":
			_, err := fmt.Fprintln(input)
			check(err)
		default:
			check(syscall.Exec(words[0], words, os.Environ()))
		}
	}
	if child != nil {
		check(input.Close())
		check(child.Wait())
	}
}
