// Package growth says how a map must grow, from the arithmetic in the Go source (runtime/map.go up to Go 1.23,
// internal/runtime/maps since 1.24), so that a tracer can be compared with it.
package growth

import (
	"encoding/json"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// A Growth is one map growing: what a tracer should say of it.
type Growth struct {
	Kind   string `json:"kind"`
	Cause  string `json:"cause"`
	Count  int    `json:"count"`
	Before int    `json:"capacity_before"`
	After  int    `json:"capacity_after"`
	Bytes  int    `json:"bytes"`
}

// A Site is a function that grows maps of one type: all their growths, and how many maps.
type Site struct {
	Fn      string   `json:"fn"`
	Type    string   `json:"map_type"`
	Maps    int      `json:"maps"`
	Growths []Growth `json:"growths"`
}

// Times repeats the growths of one map, for many equal ones.
func (s Site) Times(maps int) Site {
	one := s.Growths
	s.Growths = []Growth{}
	s.Maps = maps
	for i := 0; i < maps; i++ {
		s.Growths = append(s.Growths, one...)
	}
	return s
}

// An Entry is a key and an element as they are stored: their sizes, and the alignment of both together.
type Entry struct{ Key, Elem, Align int }

var (
	IntInt    = Entry{8, 8, 8}
	StringInt = Entry{16, 8, 8}
)

// What is larger is stored as a pointer (MapMaxKeyBytes, MapMaxElemBytes).
func inline(bytes int) int {
	if bytes > 128 {
		return 8
	}
	return bytes
}

// Bytes of a classic bucket: eight hash bytes, keys and elements, the pointer to an overflow bucket.
func (e Entry) bucket() int { return 8 + 8*inline(e.Key) + 8*inline(e.Elem) + 8 }

// Bytes of a swiss group: eight control bytes, eight slots.
func (e Entry) group() int {
	slot := inline(e.Key) + inline(e.Elem)
	slot = (slot + e.Align - 1) / e.Align * e.Align
	return 8 + 8*slot
}

// Minor is 23 for go1.23.5.
func Minor() int {
	parts := strings.Split(runtime.Version(), ".")
	minor, err := strconv.Atoi(strings.FieldsFunc(parts[1], func(r rune) bool { return r < '0' || r > '9' })[0])
	if err != nil {
		panic(err)
	}
	return minor
}

// Swiss says which maps this program has.
func Swiss() bool { return Minor() >= 24 && !strings.Contains(runtime.Version(), "noswissmap") }

// Inserting is what happens when n different keys are put, one by one, into a map that was made for hint of them. Swiss maps:
// only as long as one table holds them all, 896 keys; beyond that it depends on the hashes.
func Inserting(n, hint int, e Entry) []Growth {
	if Swiss() {
		return swiss(n, hint, e)
	}
	return classic(n, hint, e)
}

// 6.5 entries a bucket; 6 in Go 1.21, where an integer division came too early.
func overLoadFactor(count int, b uint) bool {
	numerator := 13
	if Minor() == 21 {
		numerator = 12
	}
	return count > 8 && count > numerator*((1<<b)/2)
}

func classic(n, hint int, e Entry) []Growth {
	growths := []Growth{}
	b := uint(0)
	for overLoadFactor(hint, b) {
		b++
	}
	for count := 0; count < n; count++ {
		if overLoadFactor(count+1, b) {
			growths = append(growths, Growth{"double", "load", count, 8 << b, 16 << b, bucketBytes(b+1, e)})
			b++
		}
	}
	return growths
}

// From 16 buckets on, a sixteenth more is allocated for overflow (makeBucketArray).
func bucketBytes(b uint, e Entry) int {
	buckets := 1 << b
	if b >= 4 {
		buckets += 1 << (b - 4)
	}
	return buckets * e.bucket()
}

func swiss(n, hint int, e Entry) []Growth {
	growths := []Growth{}
	if n > 896 {
		panic("more keys than a table holds")
	}
	capacity := 8
	if hint > 8 {
		target := hint * 8 / 7
		tables := pow2((target + 1023) / 1024)
		capacity = pow2(target / tables)
		if tables > 1 {
			if n > capacity*7/8 {
				panic("one of the tables may have to grow, or none")
			}
			return growths
		}
	} else if n > 8 {
		growths = append(growths, Growth{"small-to-table", "load", 8, 8, 16, 2 * e.group()})
		capacity = 16
	} else {
		return growths
	}
	for count := capacity * 7 / 8; n > count; count = capacity * 7 / 8 {
		growths = append(growths, Growth{"table-double", "load", count, capacity, 2 * capacity, 2 * capacity / 8 * e.group()})
		capacity *= 2
	}
	return growths
}

func pow2(n int) int {
	p := 1
	for p < n {
		p *= 2
	}
	return p
}

// Report prints what was done as one line of JSON.
func Report(name string, sites []Site, more map[string]interface{}) {
	report := map[string]interface{}{"case": name, "go": runtime.Version(), "swiss": Swiss(), "sites": sites}
	for key, value := range more {
		report[key] = value
	}
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		panic(err)
	}
}
