// Mapcensus holds maps in many ways and knows each of them: what a census finds is compared with what it prints.
// No generics: it is built with Go 1.15, too. Addresses of maps are kept inverted, so that no scan takes the notes
// for references.
package main

import (
	"bufio"
	"container/list"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
	"unsafe"
)

type session struct { // small, with a map inside
	id   int
	name string
	data map[string]int
}
type user struct{ a, b, c int64 }
type big struct{ x [20]int64 } // 160 bytes: stored indirectly
type server struct {           // above 512 bytes: has a malloc header from 1.22 on
	pad      [80]*int
	users    map[uint64]user
	byName   map[string][]string
	sessions map[string]*session
	shards   [16]shard
	labels   labels
	next     *small
}
type shard struct {
	mu sync.Mutex
	m  map[int]string
}
type labels map[string]string
type small struct { // no malloc header, referred to by server.next only
	n     int
	inner map[[16]byte]int32
	more  *tiny
}
type tiny struct{ m map[float64]bool }
type plain struct {
	m1 map[int32]int32
	m2 map[string]struct{}
}
type decoy struct { // as runtime.hmap: 48 bytes, pointers at 16, 24 and 40
	count int
	flags uint8
	B     uint8
	nov   uint16
	hash0 uint32
	b, o  unsafe.Pointer
	nev   uintptr
	x     unsafe.Pointer
}
type decoy2 struct { // as maps.Map
	used, seed uint64
	dir        unsafe.Pointer
	dirLen     int
	d, s, w, t uint8
	seq        uint64
}
type note struct {
	addr     uintptr // inverted
	typ, tag string
}

var (
	notes    []note
	gShrunk  map[string]*session
	gInts    map[int]int
	gEmpty   = map[string]bool{}
	gServer  *server
	gPlain   *plain
	gSlice   []map[string]int
	gOfMaps  map[string]map[string]int
	gAny     []interface{}
	gAnyMap  interface{}
	gFunc    func() int
	gSync    sync.Map
	gBig     map[big]big
	gHinted  map[int]int
	gCleared map[string]int
	gGrowing map[uint64]uint64
	gPtrKey  map[*session]int
	gChan    chan map[uint16]uint16
	gSets    map[struct{}]int
	gTomb    map[int]int
	gArr     [4]map[uint8]uint8
	gDecoys  []*decoy
	gDecoys2 []*decoy2
	gList    *list.List
	gStacks  []chan chan note
	gHot     []map[string]int
	gSecret  map[string]string
)

func addressOf(m interface{}) uintptr { return ^(*[2]uintptr)(unsafe.Pointer(&m))[1] }

func noted(m interface{}, tag string) interface{} {
	notes = append(notes, note{addressOf(m), fmt.Sprintf("%T", m), tag})
	return m
}

// fill puts n entries in: integers, strings of them, or zero values.
func fill(m interface{}, n int) interface{} {
	v := reflect.ValueOf(m)
	for i := 0; i < n; i++ {
		v.SetMapIndex(valueOf(v.Type().Key(), i), valueOf(v.Type().Elem(), i))
	}
	return m
}
func valueOf(t reflect.Type, i int) reflect.Value {
	v := reflect.New(t).Elem()
	switch t.Kind() {
	case reflect.String:
		v.SetString("k" + strconv.Itoa(i))
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(i))
	case reflect.Uint64, reflect.Uint16, reflect.Uint8:
		v.SetUint(uint64(i))
	case reflect.Float64:
		v.SetFloat(float64(i))
	case reflect.Array:
		v.Index(0).Set(valueOf(t.Elem(), i))
	case reflect.Struct:
		if t.NumField() > 0 && t.Field(0).Type.Kind() == reflect.Array {
			reflect.NewAt(t.Field(0).Type, unsafe.Pointer(v.UnsafeAddr())).Elem().Set(valueOf(t.Field(0).Type, i))
		}
	}
	return v
}

func strInt(n int, tag string) map[string]int {
	return noted(fill(map[string]int{}, n), tag).(map[string]int)
}
func newSession(i int) *session { return &session{i, strconv.Itoa(i), strInt(i%12, "session.data")} }

func stackMap(req chan chan note, n int) { // the header is on this goroutine's stack
	m := map[int]int{}
	for i := 0; i < n; i++ {
		m[i] = i
	}
	for c := range req {
		c <- note{^uintptr(*(*unsafe.Pointer)(unsafe.Pointer(&m))), "map[int]int", "stack"}
	}
	_ = m[0]
	runtime.KeepAlive(m)
}

func heldByFrame(wait chan bool) {
	m := strInt(300, "frame-only")
	<-wait
	runtime.KeepAlive(m)
}

func globals() {
	gShrunk = map[string]*session{}
	noted(gShrunk, "global shrunk")
	for i := 0; i < 40000; i++ {
		gShrunk["k"+strconv.Itoa(i)] = nil
	}
	for i := 0; i < 40000; i++ {
		delete(gShrunk, "k"+strconv.Itoa(i))
	}
	for i := 0; i < 3; i++ {
		gShrunk["k"+strconv.Itoa(i)] = newSession(i)
	}
	gInts = map[int]int{}
	noted(gInts, "global")
	for i := 0; i < 10000; i++ {
		gInts[i] = i
	}
	noted(gEmpty, "global empty")
	gBig = noted(fill(map[big]big{}, 30), "global big").(map[big]big)
	gHinted = noted(make(map[int]int, 1000), "global hinted empty").(map[int]int)
	gCleared = strInt(500, "global cleared")
	for k := range gCleared {
		delete(gCleared, k)
	}
	gGrowing = noted(fill(map[uint64]uint64{}, 6656+3), "global growing").(map[uint64]uint64)
	gPtrKey = noted(map[*session]int{}, "global pointer key").(map[*session]int)
	for i := 0; i < 25; i++ {
		gPtrKey[newSession(i)] = i
	}
	gSets = noted(map[struct{}]int{{}: 1}, "global").(map[struct{}]int)
	gTomb = noted(map[int]int{}, "global tombstones").(map[int]int)
	for i := 0; i < 3000; i++ {
		gTomb[i] = i
		if i >= 100 {
			delete(gTomb, i-100)
		}
	}
	for i := range gArr {
		gArr[i] = noted(fill(map[uint8]uint8{}, i*3), "global array").(map[uint8]uint8)
	}
	gSecret = noted(fill(map[string]string{}, 20), "global secret").(map[string]string)
	gSecret["MARKER-KEY-5f1d"] = "MARKER-VALUE-5f1d"
}

func held() {
	gServer = &server{
		users:    noted(fill(map[uint64]user{}, 777), "server.users").(map[uint64]user),
		byName:   noted(fill(map[string][]string{}, 50), "server.byName").(map[string][]string),
		sessions: noted(map[string]*session{}, "server.sessions").(map[string]*session),
		labels:   noted(labels{"a": "b"}, "server.labels").(labels),
		next: &small{inner: noted(fill(map[[16]byte]int32{}, 33), "small.inner").(map[[16]byte]int32),
			more: &tiny{noted(fill(map[float64]bool{}, 5), "tiny.m").(map[float64]bool)}},
	}
	for i := 0; i < 120; i++ {
		gServer.sessions["k"+strconv.Itoa(i)] = newSession(i)
	}
	for i := range gServer.shards {
		gServer.shards[i].m = noted(fill(map[int]string{}, i*7), "server.shards.m").(map[int]string)
	}
	gPlain = &plain{noted(fill(map[int32]int32{}, 100), "plain.m1").(map[int32]int32),
		noted(fill(map[string]struct{}{}, 100), "plain.m2").(map[string]struct{})}
	for i := 0; i < 500; i++ {
		gSlice = append(gSlice, strInt(i%30, "slice element"))
	}
	gOfMaps = noted(map[string]map[string]int{}, "global of maps").(map[string]map[string]int)
	for i := 0; i < 200; i++ {
		gOfMaps["k"+strconv.Itoa(i)] = strInt(i%20, "map element")
	}
	gAny = append(gAny, noted(fill(map[int]bool{}, 20), "interface"), noted(fill(map[string]interface{}{}, 3), "interface"))
	am := map[interface{}]int{}
	for i := 0; i < 40; i++ {
		am[i] = i
	}
	gAnyMap = noted(am, "global interface")
	cm := noted(map[rune]string{}, "closure").(map[rune]string)
	for i := 0; i < 60; i++ {
		cm[rune(i)] = "x"
	}
	gFunc = func() int { return len(cm) }
	gChan = make(chan map[uint16]uint16, 4)
	gChan <- noted(map[uint16]uint16{1: 1}, "channel").(map[uint16]uint16)
	gList = list.New()
	for i := 0; i < 1000; i++ {
		gList.PushBack(i)
	}
	for i := 0; i < 50; i++ {
		gSync.Store(i, i)
	}
}

// decoys have the shape of map headers, with pointers to objects of many sizes.
func decoys() {
	for i := 0; i < 300; i++ {
		size := 8 << uint(i%10)
		var p unsafe.Pointer
		switch i % 4 {
		case 0:
			p = unsafe.Pointer(&make([]byte, size)[0])
		case 1:
			p = unsafe.Pointer(&make([]*int, size/8)[0])
		case 2:
			p = unsafe.Pointer(&make([]string, size/16+1)[0])
		}
		gDecoys = append(gDecoys, &decoy{count: i % 9, B: uint8(i % 4), hash0: uint32(i) * 2654435761, b: p})
		gDecoys2 = append(gDecoys2, &decoy2{used: uint64(i % 9), seed: uint64(i) * 0x9e3779b97f4a7c15, dir: p})
	}
}

// describe reads the header as the runtime has it.
func describe(a uintptr) string {
	word := func(o uintptr) uint64 { return *(*uint64)(unsafe.Pointer(a + o)) }
	if !swiss {
		return fmt.Sprintf("%d\t%d\t%v", word(0), 8<<(word(8)>>8&0xff), word(24) != 0)
	}
	dirLen, slots, last := word(24), uint64(0), uint64(0)
	if dirLen == 0 && word(16) != 0 {
		slots = 8
	}
	for i := uint64(0); i < dirLen; i++ {
		t := *(*uint64)(unsafe.Pointer(uintptr(word(16)) + uintptr(i)*8))
		if t != last {
			slots += uint64(*(*uint16)(unsafe.Pointer(uintptr(t) + 2)))
		}
		last = t
	}
	return fmt.Sprintf("%d\t%d\tfalse", word(0), slots)
}

var swiss bool

func hammer(m map[string]int, g int) {
	for i := 0; ; i++ {
		limit := 1 << uint(4+g%8)
		key := strconv.Itoa(i % (limit * 2))
		if i%3 == 0 {
			delete(m, key)
		} else {
			m[key] = i
		}
		if i%(limit*40) == 0 {
			for k := range m {
				delete(m, k)
			}
		}
		if i&63 == 0 {
			runtime.Gosched()
		}
	}
}

func truth(w *bufio.Writer) {
	all := append([]note{}, notes...)
	for _, r := range gStacks {
		c := make(chan note)
		r <- c
		all = append(all, <-c)
	}
	for _, n := range all {
		what := "\t\t"
		if n.tag != "garbage" {
			what = describe(^n.addr)
		}
		fmt.Fprintf(w, "%x\t%s\t%s\t%s\n", ^n.addr, n.typ, n.tag, what)
	}
	fmt.Fprintln(w, "end")
	w.Flush()
}

func main() {
	minor, _ := strconv.Atoi(strings.Split(strings.Fields(runtime.Version())[0], ".")[1])
	swiss = minor >= 24 && !strings.Contains(runtime.Version(), "noswissmap")
	globals()
	held()
	decoys()
	wait := make(chan bool)
	for i := 0; i < 5; i++ {
		go heldByFrame(wait)
		r := make(chan chan note)
		gStacks = append(gStacks, r)
		go stackMap(r, 3+i*40)
	}
	time.Sleep(50 * time.Millisecond)
	in, out := bufio.NewScanner(os.Stdin), bufio.NewWriter(os.Stdout)
	fmt.Println("ready", os.Getpid())
	for in.Scan() {
		switch in.Text() {
		case "gc":
			runtime.GC()
			runtime.GC()
			fmt.Println("ok")
		case "garbage": // maps that nothing refers to
			for i := 0; i < 3000; i++ {
				strInt(i%20, "garbage")
			}
			fmt.Println("ok")
		case "hot": // maps that are written all the time
			for g := 0; g < 200; g++ {
				m := strInt(0, "hot")
				gHot = append(gHot, m)
				go hammer(m, g)
			}
			fmt.Println("ok")
		case "memory":
			var ms runtime.MemStats
			runtime.ReadMemStats(&ms)
			fmt.Println("memory", ms.HeapInuse, ms.HeapAlloc, len(gInts), len(gTomb), len(gShrunk), len(gSecret), gFunc())
		case "truth":
			truth(out)
		}
	}
}
