// half-evacuated: a map that began to double when its last keys came in, and that nobody writes to any more. Classic maps move their
// entries only when someone writes: reads and loops do not. So this one keeps both arrays of buckets for as long as it lives, and every
// read looks at the old one first.
//
// The map is made for 13,312 entries, which is exactly what it holds without growing (6.5 in each of 2,048 buckets). One more key makes it double,
// twenty more follow, then it is read a million times and looped over. A tracer should see one growth and 21 calls of growWork_fast64, one for
// each write since, with two of evacuate_fast64 each, while 2,048 buckets would have to be moved; and no call at all during the reads. Swiss maps have
// nothing of the kind: a table is replaced at once. There the map is made for 448 entries, which one table of 512 slots holds, and doubles with the next.
package main

import "../growth"

const (
	extra = 20
	reads = 1000000
)

// How many entries the map is made for, and holds without growing.
var hint = 13312

var index map[int]int

//go:noinline
func fill(from, n int) {
	for i := from; i < from+n; i++ {
		index[i] = i
	}
}

//go:noinline
func read() (sum int) {
	for i := 0; i < reads; i++ {
		sum += index[i%hint]
	}
	for key := range index {
		sum += key
	}
	return sum
}

func main() {
	writes := 1 + extra
	if growth.Swiss() {
		hint, writes = 448, 0
	}
	index = make(map[int]int, hint)
	fill(0, hint)
	fill(hint, 1+extra)
	sum := read()
	growths := growth.Inserting(hint+1+extra, hint, growth.IntInt)
	growth.Report("half-evacuated", []growth.Site{{Fn: "main.fill", Type: "map[int]int", Maps: 1, Growths: growths}},
		map[string]interface{}{"entries": len(index), "writes_while_growing": writes, "sum": sum})
}
