// huge-values: what a growth costs depends on what is in the map. Three maps with the same keys, the same number of entries and the same growths,
// with elements of 8, 128 and 136 bytes. Up to 128 bytes an element is stored in the map itself and moved with it; a larger one is stored behind a
// pointer, and only that is moved.
//
// A tracer should see seven growths of each map, at the same counts. Those of map[int][16]uint64 allocate about eight times as many bytes (classic buckets: 1,104
// against 144; swiss groups: 1,096 against 136) as those of the other two, which allocate the same.
package main

import "../growth"

const keys = 800

var (
	small map[int]int
	big   map[int][16]uint64
	huge  map[int][17]uint64
)

//go:noinline
func fillSmall() {
	for i := 0; i < keys; i++ {
		small[i] = i
	}
}

//go:noinline
func fillBig() {
	for i := 0; i < keys; i++ {
		big[i] = [16]uint64{uint64(i)}
	}
}

//go:noinline
func fillHuge() {
	for i := 0; i < keys; i++ {
		huge[i] = [17]uint64{uint64(i)}
	}
}

func main() {
	small, big, huge = make(map[int]int), make(map[int][16]uint64), make(map[int][17]uint64)
	fillSmall()
	fillBig()
	fillHuge()
	site := func(fn, typ string, elem int) growth.Site {
		return growth.Site{Fn: fn, Type: typ, Maps: 1, Growths: growth.Inserting(keys, 0, growth.Entry{Key: 8, Elem: elem, Align: 8})}
	}
	growth.Report("huge-values", []growth.Site{
		site("main.fillSmall", "map[int]int", 8),
		site("main.fillBig", "map[int][16]uint64", 128),
		site("main.fillHuge", "map[int][17]uint64", 136),
	}, map[string]interface{}{"entries": len(small) + len(big) + len(huge)})
}
