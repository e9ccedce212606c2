// startup-storm: a service that fills its caches when it starts, many goroutines at once, each a map of its own without a size hint.
//
// 64 goroutines put 800 keys each into a map[string]int. A tracer should see seven growths of each map (classic: at 8, 13, 26, 52, 104, 208, 416
// entries; swiss: at 8, 14, 28, 56, 112, 224, 448), 448 in all, within a moment, and then none any more: the rate falls to zero.
package main

import (
	"strconv"
	"sync"

	"../growth"
)

const (
	caches = 64
	keys   = 800
)

//go:noinline
func fillCache(name string) map[string]int {
	m := make(map[string]int)
	for i := 0; i < keys; i++ {
		m[name+strconv.Itoa(i)] = i
	}
	return m
}

func main() {
	all := make([]map[string]int, caches)
	var done sync.WaitGroup
	for c := 0; c < caches; c++ {
		done.Add(1)
		go func(c int) {
			defer done.Done()
			all[c] = fillCache("cache-" + strconv.Itoa(c) + "/")
		}(c)
	}
	done.Wait()
	entries := 0
	for _, m := range all {
		entries += len(m)
	}
	site := growth.Site{Fn: "main.fillCache", Type: "map[string]int", Growths: growth.Inserting(keys, 0, growth.StringInt)}
	growth.Report("startup-storm", []growth.Site{site.Times(caches)}, map[string]interface{}{"entries": entries})
}
