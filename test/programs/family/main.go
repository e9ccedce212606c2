// family is a program that starts programs: itself, in several ways. Its runtime counts the calls of its own growth
// functions (an overlay adds runtime.GrowthCalls), and each process appends what it has counted to the file $COUNTS, as one
// line {"pid":1,"calls":{"runtime.hashGrow":9,...}}, at its end, and before it executes something else.
//
//	family grow KEYS          puts so many keys into a map
//	family exec KEYS          becomes `family grow KEYS` by execve
//	family spawn N KEYS       starts `family grow KEYS` N times, four at a time, and then grows a map itself
//
// With cgo and $FORK set a C constructor forks before Go starts: the child goes on, the parent waits for it.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "family:", err)
		os.Exit(1)
	}
}

//go:noinline
func grow(keys int) int {
	m := make(map[int]int)
	for i := 0; i < keys; i++ {
		m[i] = i
	}
	return len(m)
}

func number(i int) int {
	n, err := strconv.Atoi(os.Args[i])
	fail(err)
	return n
}

func spawn(n int, keys string) {
	var group sync.WaitGroup
	for worker := 0; worker < 4; worker++ {
		worker := worker
		group.Add(1)
		go func() {
			defer group.Done()
			for i := worker; i < n; i += 4 {
				fail(exec.Command("/proc/self/exe", "grow", keys).Run())
			}
		}()
	}
	group.Wait()
}

// No map is written on the way from reading the counters to the end of the process.
func report() {
	file, err := os.OpenFile(os.Getenv("COUNTS"), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	fail(err)
	names, calls := runtime.GrowthCalls()
	fields := make([]string, len(names))
	for i, name := range names {
		fields[i] = strconv.Quote(name) + ":" + strconv.FormatUint(calls[i], 10)
	}
	_, err = fmt.Fprintf(file, "{\"pid\":%d,\"calls\":{%s}}\n", os.Getpid(), strings.Join(fields, ","))
	fail(err)
}

func main() {
	switch os.Args[1] {
	case "exec":
		report()
		fail(syscall.Exec("/proc/self/exe", []string{os.Args[0], "grow", os.Args[2]}, os.Environ()))
	case "spawn":
		spawn(number(2), os.Args[3])
		grow(number(3))
	default:
		grow(number(2))
	}
	report()
}
