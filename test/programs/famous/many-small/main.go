// many-small: maps that never get big, but of which there are many: a set of labels for each request, say. Each grows once or twice, and nobody would
// look for growth there, but together they grow more than any big map.
//
// 2,000 maps get 9 keys each, which is one more than fits into the first bucket or group, 500 get 14 (another growth with classic maps), 500 get 8 (none). A tracer
// should see 3,000 growths (classic) or 2,500 (swiss), all small, of 2,500 different maps, at two call sites, and none at that of the maps with 8.
package main

import (
	"strconv"

	"../growth"
)

var kept []map[string]int

//go:noinline
func label(m map[string]int, n int) map[string]int {
	for i := 0; i < n; i++ {
		m["label-"+strconv.Itoa(i)] = i
	}
	return m
}

//go:noinline
func nine() { kept = append(kept, label(map[string]int{}, 9)) }

//go:noinline
func fourteen() { kept = append(kept, label(make(map[string]int), 14)) }

//go:noinline
func eight() { kept = append(kept, label(make(map[string]int, 8), 8)) }

func main() {
	for i := 0; i < 500; i++ {
		nine()
		nine()
		nine()
		nine()
		fourteen()
		eight()
	}
	site := func(maps, keys, hint int) growth.Site {
		return growth.Site{Fn: "main.label", Type: "map[string]int", Growths: growth.Inserting(keys, hint, growth.StringInt)}.Times(maps)
	}
	nines, fourteens, eights := site(2000, 9, 0), site(500, 14, 0), site(500, 8, 8)
	all := growth.Site{Fn: "main.label", Type: "map[string]int", Maps: 2500}
	all.Growths = append(append(append([]growth.Growth{}, nines.Growths...), fourteens.Growths...), eights.Growths...)
	growth.Report("many-small", []growth.Site{all}, map[string]interface{}{"maps": len(kept)})
}
