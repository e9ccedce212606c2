// why grows maps of types of many sizes and says itself why, when and how much each grew, from the maps' own headers, which it reads before and
// after each insertion, and from the sizes that package reflect gives.
//
// It prints one JSON object a line, one for each map: "case", "type", "map" (its hash seed), "start" (slots that it was made with), "keys" (how many
// it got) and "growths" with the fields of a growth record. Of the classic implementation "overflow_buckets" is left out where
// the insertion had to do growth work first, which may change it.
package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"unsafe"
)

// The headers of both implementations: runtime/map.go (hmap) and internal/runtime/maps/{map,table}.go (Map, table).
type hmap struct {
	count      int
	flags, b   uint8
	noverflow  uint16
	hash0      uint32
	buckets    unsafe.Pointer
	oldbuckets unsafe.Pointer
}

type swissMap struct {
	used        uint64
	seed        uintptr
	dirPtr      unsafe.Pointer
	dirLen      int
	globalDepth uint8
}

type swissTable struct {
	used, capacity, growthLeft uint16
	localDepth                 uint8
	index                      int
}

var swiss = isSwiss()

func isSwiss() bool {
	m := make(map[int]int)
	for i := 0; i < 9; i++ {
		m[i] = i
	}
	// Nine entries: a classic map has two buckets (B 1, at offset 9), a swiss one a directory of one table.
	return (*swissMap)(*(*unsafe.Pointer)(unsafe.Pointer(&m))).dirLen == 1
}

type growth struct {
	Kind      string `json:"kind"`
	Cause     string `json:"cause"`
	Count     int    `json:"count"`
	Before    int    `json:"capacity_before"`
	After     int    `json:"capacity_after"`
	Bytes     int    `json:"bytes"`
	Moved     int    `json:"bytes_moved"`
	BBefore   *int   `json:"b_before,omitempty"`
	BAfter    *int   `json:"b_after,omitempty"`
	Overflow  *int   `json:"overflow_buckets,omitempty"`
	Local     *int   `json:"local_depth,omitempty"`
	Global    *int   `json:"global_depth,omitempty"`
	Directory *int   `json:"directory_length,omitempty"`
	Doubles   bool   `json:"directory_doubles,omitempty"`
}

// grown is a map with what is known of it.
type grown struct {
	Case    string   `json:"case"`
	Type    string   `json:"type"`
	Map     string   `json:"map"`
	Start   int      `json:"start"`
	Keys    int      `json:"keys"`
	Growths []growth `json:"growths"`

	value  reflect.Value
	header unsafe.Pointer
	sizes  sizes
	key    reflect.Value
	elem   reflect.Value
}

// What one bucket or group has, and one entry in it.
type sizes struct{ storage, entry int }

// Keys and values of more than 128 bytes are stored as pointers.
func stored(t reflect.Type) reflect.Type {
	if t.Size() > 128 {
		return reflect.PtrTo(t)
	}
	return t
}

func sizesOf(t reflect.Type) sizes {
	key, elem := stored(t.Key()), stored(t.Elem())
	field := func(name string, t reflect.Type) reflect.StructField { return reflect.StructField{Name: name, Type: t} }
	word := reflect.TypeOf(uintptr(0))
	if swiss {
		slot := reflect.StructOf([]reflect.StructField{field("Key", key), field("Elem", elem)})
		group := reflect.StructOf([]reflect.StructField{field("Control", word), field("Slots", reflect.ArrayOf(8, slot))})
		return sizes{int(group.Size()), int(slot.Size())}
	}
	bucket := reflect.StructOf([]reflect.StructField{
		field("TopHash", reflect.TypeOf([8]uint8{})),
		field("Keys", reflect.ArrayOf(8, key)), field("Elems", reflect.ArrayOf(8, elem)), field("Overflow", word),
	})
	return sizes{int(bucket.Size()), int(key.Size() + elem.Size())}
}

// tables are the distinct ones, in the directory's order.
func tables(m *swissMap) (all []*swissTable) {
	if m.dirLen == 0 {
		return
	}
	for i, t := range (*[1 << 16]*swissTable)(m.dirPtr)[:m.dirLen:m.dirLen] {
		if i == 0 || t != all[len(all)-1] {
			all = append(all, t)
		}
	}
	return
}

func slots(header unsafe.Pointer) (n int) {
	if !swiss {
		return 8 << (*hmap)(header).b
	}
	m := (*swissMap)(header)
	if m.dirLen == 0 {
		return 8
	}
	for _, t := range tables(m) {
		n += int(t.capacity)
	}
	return
}

func number(n int) *int { return &n }

func make_(name string, example interface{}, hint int) *grown {
	t := reflect.TypeOf(example)
	value := reflect.MakeMapWithSize(t, hint)
	header := unsafe.Pointer(value.Pointer())
	g := &grown{Case: name, Type: t.String(), Start: slots(header), Growths: []growth{}, value: value, header: header, sizes: sizesOf(t)}
	if swiss {
		g.Map = fmt.Sprintf("0x%016x", (*swissMap)(header).seed)
	} else {
		g.Map = fmt.Sprintf("0x%08x", (*hmap)(header).hash0)
	}
	g.key, g.elem = reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
	return g
}

// The nth key of the type.
func (g *grown) keyOf(n int) reflect.Value {
	switch k := g.key; k.Kind() {
	case reflect.Array:
		var text [8]byte
		binary.LittleEndian.PutUint64(text[:], uint64(n))
		for i := 0; i < k.Len() && i < 8; i++ {
			k.Index(i).SetUint(uint64(text[i]))
		}
	case reflect.String:
		k.SetString("key-" + strconv.Itoa(n))
	case reflect.Struct:
		k.Field(0).SetInt(int64(n % 100))
		k.Field(1).SetInt(int64(n))
	case reflect.Interface:
		k.Set(reflect.ValueOf(n))
	case reflect.Float64:
		k.SetFloat(float64(n))
	default:
		k.SetInt(int64(n))
	}
	return g.key
}

func (g *grown) remove(n int) { g.value.SetMapIndex(g.keyOf(n), reflect.Value{}) }

func (g *grown) insert(n int) {
	key := g.keyOf(n)
	g.Keys++
	if swiss {
		g.insertSwiss(key)
	} else {
		g.insertClassic(key)
	}
}

func (g *grown) insertClassic(key reflect.Value) {
	h := (*hmap)(g.header)
	before := *h
	g.value.SetMapIndex(key, g.elem)
	if before.buckets == nil || h.buckets == before.buckets {
		return
	}
	one := growth{Kind: "double", Cause: "load", Count: before.count, Before: 8 << before.b, After: 8 << h.b}
	one.BBefore, one.BAfter = number(int(before.b)), number(int(h.b))
	if before.b == h.b {
		one.Kind, one.Cause = "same-size", "overflow"
	}
	if before.oldbuckets == nil {
		one.Overflow = number(int(before.noverflow))
	}
	// runtime/map.go, makeBucketArray.
	buckets := 1 << h.b
	if h.b >= 4 {
		buckets += buckets / 16
	}
	one.Bytes, one.Moved = buckets*g.sizes.storage, before.count*g.sizes.entry
	g.Growths = append(g.Growths, one)
}

// known: a table that a map had before an insertion, and what was in it.
type known struct {
	table *swissTable
	state swissTable
}

// Kept from one insertion to the next. Maps would do, but they would grow as well.
var old []known

func wasThere(table *swissTable) bool {
	for _, one := range old {
		if one.table == table {
			return true
		}
	}
	return false
}

func isThere(all []*swissTable, table *swissTable) bool {
	for _, one := range all {
		if one == table {
			return true
		}
	}
	return false
}

func (g *grown) insertSwiss(key reflect.Value) {
	m := (*swissMap)(g.header)
	before := *m
	old = old[:0]
	for _, t := range tables(m) {
		old = append(old, known{t, *t})
	}
	g.value.SetMapIndex(key, g.elem)
	now := tables(m)
	if before.dirLen == 0 {
		if len(now) > 0 {
			after := int(now[0].capacity)
			g.Growths = append(g.Growths, growth{
				Kind: "small-to-table", Cause: "load", Count: int(before.used), Before: 8, After: after,
				Bytes: after / 8 * g.sizes.storage, Moved: int(before.used) * g.sizes.entry,
			})
		}
		return
	}
	for _, one := range old {
		if isThere(now, one.table) {
			continue
		}
		state := one.state
		one := growth{Kind: "table-double", Cause: "load", Count: int(before.used), Before: int(state.capacity)}
		for _, other := range now {
			if !wasThere(other) {
				one.After += int(other.capacity)
			}
		}
		if len(now) > len(old) {
			one.Kind = "split"
		}
		// Full of entries up to 7/8, or of deleted ones.
		if 8*int(state.used) < 7*int(state.capacity) {
			one.Cause = "tombstones"
		}
		one.Local, one.Global, one.Directory = number(int(state.localDepth)), number(int(before.globalDepth)), number(before.dirLen)
		one.Doubles = m.globalDepth > before.globalDepth
		one.Bytes, one.Moved = one.After/8*g.sizes.storage, int(state.used)*g.sizes.entry
		g.Growths = append(g.Growths, one)
	}
}

func (g *grown) print() {
	if g.value.Len() > g.Keys {
		fmt.Fprintln(os.Stderr, "CORRUPT: too many entries")
		os.Exit(1)
	}
	text, err := json.Marshal(g)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(string(text))
}

type point struct {
	X int8
	Y int64
}

// One of each size of key and of value, and of each way to look a key up.
var types = []interface{}{
	map[[1]uint8][1]uint8{},
	map[[1]uint8][200]uint8{},
	map[[2]uint8][3]uint8{},
	map[[3]uint8]bool{},
	map[[4]uint8]uint64{},
	map[[5]uint8]string{},
	map[[7]uint8][9]uint8{},
	map[[8]uint8][8]uint8{},
	map[[9]uint8][7]uint8{},
	map[[16]uint8]struct{}{},
	map[[17]uint8][17]uint8{},
	map[[24]uint8]int32{},
	map[[31]uint8][33]uint8{},
	map[[64]uint8][1]uint8{},
	map[[100]uint8][100]uint8{},
	map[[127]uint8][127]uint8{},
	map[[128]uint8][128]uint8{},
	map[[129]uint8][129]uint8{},
	map[[150]uint8]int16{},
	map[[200]uint8][200]uint8{},
	map[int32][6]uint8{},
	map[int]int{},
	map[int]struct{}{},
	map[int64][129]uint8{},
	map[string]int{},
	map[string][120]uint8{},
	map[float64]int8{},
	map[point]*point{},
	map[interface{}]interface{}{},
}

func main() {
	var all []*grown
	fill := func(name string, example interface{}, hint, keys int) {
		g := make_(name, example, hint)
		for i := 0; i < keys; i++ {
			g.insert(i)
		}
		all = append(all, g)
	}
	for _, example := range types {
		keys := 3000
		if t := reflect.TypeOf(example).Key(); t.Kind() == reflect.Array && t.Len() < 2 {
			keys = 250
		}
		fill("fill", example, 0, keys)
	}
	for _, hint := range []int{1, 8, 9, 13, 14, 26, 27, 100, 208, 209, 1000, 5000} {
		fill("hint", map[int]int{}, hint, hint)
		fill("small hint", map[string]int{}, hint, 4*hint)
	}
	fill("large", map[int]int{}, 0, 40000)
	// Each new key takes the oldest one's place: entries do not get more, deleted ones and overflow buckets do.
	for _, window := range []int{6, 20, 90, 200, 700} {
		for _, example := range []interface{}{map[int]int{}, map[int32]int32{}, map[string]int{}, map[[9]uint8][7]uint8{}} {
			g := make_("churn", example, 0)
			for i := 0; i < 40*window+400; i++ {
				g.insert(i)
				if i >= window {
					g.remove(i - window)
				}
			}
			all = append(all, g)
		}
	}
	for _, g := range all {
		g.print()
	}
}
