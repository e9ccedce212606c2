// presized: what the size hint of make does. Four maps get the same 800 keys: one was made for 800, one for 80, one for 8,000, one for nothing.
//
// A tracer should see no growth of the first and of the third, three of the second (classic: at 104, 208, 416 entries; swiss: at 112, 224, 448) and seven of the
// last. The third map has sixteen times the slots of the first, which no growth will ever show: a hint that is too large costs memory, one that is too small
// costs growths.
package main

import "../growth"

const keys = 800

var right, small, large, none map[int]int

//go:noinline
func fillRight() {
	right = make(map[int]int, keys)
	for i := 0; i < keys; i++ {
		right[i] = i
	}
}

//go:noinline
func fillSmall() {
	small = make(map[int]int, keys/10)
	for i := 0; i < keys; i++ {
		small[i] = i
	}
}

//go:noinline
func fillLarge() {
	large = make(map[int]int, keys*10)
	for i := 0; i < keys; i++ {
		large[i] = i
	}
}

//go:noinline
func fillNone() {
	none = make(map[int]int)
	for i := 0; i < keys; i++ {
		none[i] = i
	}
}

func main() {
	fillRight()
	fillSmall()
	fillLarge()
	fillNone()
	site := func(fn string, hint int) growth.Site {
		return growth.Site{Fn: fn, Type: "map[int]int", Maps: 1, Growths: growth.Inserting(keys, hint, growth.IntInt)}
	}
	growth.Report("presized", []growth.Site{
		site("main.fillRight", keys),
		site("main.fillSmall", keys/10),
		site("main.fillLarge", keys*10),
		site("main.fillNone", 0),
	}, map[string]interface{}{"entries": len(right) + len(small) + len(large) + len(none)})
}
