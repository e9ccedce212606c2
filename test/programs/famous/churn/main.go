// churn: a map of constant size whose keys change all the time, like the sessions of a service: each new key takes the place of
// the oldest. The number of entries is never above 200, and still the map grows.
//
// Classic maps: deleted entries leave room in buckets that new keys do not hash to, overflow buckets pile up, and the map is rebuilt at the
// same size. A tracer should see same-size growth with cause overflow, again and again. Swiss maps: deleted entries leave tombstones, which use up the
// room of a table until it doubles although it is nearly empty: growth with cause tombstones, a few times and then no more (Go 1.25 and
// newer get rid of tombstones first).
//
// How often depends on the hashes, which differ from run to run. So the program looks at the header of its own map after each insertion, as it
// is in Go 1.15 to 1.27, and says how it grew. It looks, it never changes anything.
package main

import (
	"unsafe"

	"../growth"
)

const (
	live         = 200
	replacements = 20000
)

// runtime/map.go, hmap, up to Go 1.23.
type hmap struct {
	count      int
	flags      uint8
	b          uint8
	noverflow  uint16
	hash0      uint32
	buckets    unsafe.Pointer
	oldbuckets unsafe.Pointer
}

// internal/runtime/maps: Map and table, from Go 1.24 on.
type swissMap struct {
	used        uint64
	seed        uintptr
	dirPtr      unsafe.Pointer
	dirLen      int
	globalDepth uint8
}

type table struct {
	used, capacity, growthLeft uint16
}

type state struct {
	// Classic: the array of buckets. Swiss: the group of a small map, the only table, or the directory of several.
	storage  unsafe.Pointer
	capacity int
	tables   int
	used     int
}

func look(m map[int]int) state {
	header := *(*unsafe.Pointer)(unsafe.Pointer(&m))
	if !growth.Swiss() {
		h := (*hmap)(header)
		return state{h.buckets, 8 << h.b, 0, h.count}
	}
	s := (*swissMap)(header)
	switch s.dirLen {
	case 0:
		return state{s.dirPtr, 8, 0, int(s.used)}
	case 1:
		t := *(**table)(s.dirPtr)
		return state{unsafe.Pointer(t), int(t.capacity), 1, int(t.used)}
	}
	return state{s.dirPtr, 1024, s.dirLen, int(s.used)}
}

// What has happened between two looks; nil when the map did not grow.
func grown(before, after state, entry growth.Entry) *growth.Growth {
	if before.storage == after.storage || before.storage == nil {
		return nil
	}
	g := &growth.Growth{Count: before.used, Before: before.capacity, After: after.capacity, Cause: "load"}
	switch {
	case !growth.Swiss():
		g.Kind = "double"
		if g.Before == g.After {
			g.Kind, g.Cause = "same-size", "overflow"
		}
		g.Bytes = buckets(g.After) * 144
	case before.tables == 0:
		g.Kind = "small-to-table"
		g.Bytes = g.After / 8 * 136
	case after.tables == 1:
		g.Kind = "table-double"
		g.Bytes = g.After / 8 * 136
		if before.used < before.capacity*7/8 {
			g.Cause = "tombstones"
		}
	default:
		panic("so few entries never need a second table")
	}
	return g
}

// With the sixteenth more that there is from 16 buckets on.
func buckets(slots int) int {
	n := slots / 8
	if n >= 16 {
		n += n / 16
	}
	return n
}

var sessions map[int]int

//go:noinline
func open(id int) { sessions[id] = id }

func main() {
	sessions = make(map[int]int)
	growths := []growth.Growth{}
	for id := 0; id < replacements; id++ {
		if id >= live {
			delete(sessions, id-live)
		}
		before := look(sessions)
		open(id)
		if g := grown(before, look(sessions), growth.IntInt); g != nil {
			growths = append(growths, *g)
		}
	}
	growth.Report("churn", []growth.Site{{Fn: "main.open", Type: "map[int]int", Maps: 1, Growths: growths}},
		map[string]interface{}{"entries": len(sessions), "replacements": replacements - live})
}
