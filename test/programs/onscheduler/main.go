// onscheduler fills maps on the scheduler's stack, where g is not the goroutine that asked for it. Each of its goroutines prints one JSON
// object: "goid" and "keys", those in its map.
package main

import (
	"encoding/json"
	"os"
	"runtime"
	"strconv"
	"strings"
	_ "unsafe"
)

//go:linkname systemstack runtime.systemstack
//go:noescape
func systemstack(fn func())

type line struct {
	Goid int `json:"goid"`
	Keys int `json:"keys"`
}

func goid() int {
	var text [64]byte
	fields := strings.Fields(string(text[:runtime.Stack(text[:], false)]))
	id, err := strconv.Atoi(fields[1])
	if err != nil {
		panic(err)
	}
	return id
}

//go:noinline
func fill(m map[int]int, keys int) {
	for i := 0; i < keys; i++ {
		m[i] = i
	}
}

func main() {
	lines := make(chan line)
	for _, keys := range []int{100, 300, 700} {
		keys := keys
		go func() {
			m := map[int]int{}
			systemstack(func() { fill(m, keys) })
			lines <- line{goid(), len(m)}
		}()
	}
	out := json.NewEncoder(os.Stdout)
	for i := 0; i < 3; i++ {
		if err := out.Encode(<-lines); err != nil {
			panic(err)
		}
	}
}
