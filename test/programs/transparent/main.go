// transparent shows what reaches a command that is started under observation.
//
//	transparent exit CODE          ends with that code
//	transparent die SIGNAL         kills itself by SIGKILL or SIGTERM
//	transparent wait [duration]    waits for SIGINT or SIGTERM and ends with 40 + its number, or with 7 when time is up
//	transparent speak              a line on standard output and one on standard error
//	transparent describe ...       arguments, environment, folder, input, limits and descriptors as a JSON object
//
// A tracer should see the growth of one map[int]int to 64 entries, whatever it does.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"sort"
	"strconv"
	"syscall"
	"time"
)

var numbers = make(map[int]int)

var signalNames = map[string]syscall.Signal{
	"SIGKILL": syscall.SIGKILL,
	"SIGTERM": syscall.SIGTERM,
}

func die(name string) {
	if err := syscall.Kill(os.Getpid(), signalNames[name]); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	time.Sleep(10 * time.Second)
	os.Exit(1)
}

func wait(args []string) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	var timeout <-chan time.Time
	if len(args) > 0 {
		length, err := time.ParseDuration(args[0])
		if err != nil {
			panic(err)
		}
		timeout = time.After(length)
	}
	fmt.Println("waiting")
	select {
	case got := <-signals:
		os.Exit(40 + int(got.(syscall.Signal)))
	case <-timeout:
		os.Exit(7)
	}
}

// descriptors that are open besides the three standard ones and those of the runtime's own poller.
func descriptors() []string {
	folder, err := os.Open("/proc/self/fd")
	if err != nil {
		panic(err)
	}
	defer folder.Close()
	names, err := folder.Readdirnames(-1)
	if err != nil {
		panic(err)
	}
	var open []string
	for _, name := range names {
		fd, _ := strconv.Atoi(name)
		if link, err := os.Readlink("/proc/self/fd/" + name); err == nil && fd > 2 && uintptr(fd) != folder.Fd() {
			open = append(open, link)
		}
	}
	sort.Strings(open)
	return open
}

func describe() {
	var files syscall.Rlimit
	// From Go 1.19 on the runtime raises its own soft limit, so both ways of starting must be compared with each other.
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		panic(err)
	}
	cwd, _ := os.Getwd()
	environment := os.Environ()
	sort.Strings(environment)
	input, _ := bufio.NewReader(os.Stdin).ReadString('\n')
	json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
		"args":        os.Args[1:],
		"environment": environment,
		"cwd":         cwd,
		"input":       input,
		"open files":  files,
		"descriptors": descriptors(),
	})
}

func main() {
	for i := 0; i < 64; i++ {
		numbers[i] = i
	}
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: transparent exit|die|wait|speak|describe [...]")
		os.Exit(2)
	}
	switch os.Args[1] {
	case "exit":
		code, _ := strconv.Atoi(os.Args[2])
		os.Exit(code)
	case "die":
		die(os.Args[2])
	case "wait":
		wait(os.Args[2:])
	case "speak":
		fmt.Println("on standard output")
		fmt.Fprintln(os.Stderr, "on standard error")
	case "describe":
		describe()
	}
}
