// Inlined call chains into map assignments, and map types of many kinds. Valid from Go 1.15 on; no generics for that reason.
//
// Run with "types" it prints, per map type, the distance of its descriptor from the entry of main.chains and what reflect says
// of it; with "frames" the return addresses of a stack and the frames that the runtime finds for them. The readers' tests
// compare both with what they read from the file.
package main

import (
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"unsafe"
)

type point struct{ x, y int }

type bigKey struct{ a, b, c, d, e, f, g, h int64 }

type bigValue [22]int64

type node struct {
	next *node
	tags map[string][]string
}

type named map[string]*node

var sink int

func put(m map[int]int, k, v int) { m[k] = v }

func putTwice(m map[int]int, k int) {
	put(m, k, k)
	put(m, k+1, k)
}

func putString(m map[string]int, k string) { m[k]++ }

func putPoint(m map[point]string, p point) { m[p] = "p" }

//go:noinline
func chains(n int) {
	ints := map[int]int{}
	strs := map[string]int{}
	points := make(map[point]string)
	for i := 0; i < n; i++ {
		putTwice(ints, i*2)
		putString(strs, strconv.Itoa(i))
		putPoint(points, point{i, -i})
	}
	sink += len(ints) + len(strs) + len(points)
}

//go:noinline
func small(n uint32) {
	m := make(map[uint32]bool)
	pointers := make(map[*node]int)
	for i := uint32(0); i < n; i++ {
		m[i] = true
		pointers[&node{}] = int(i)
		delete(m, i/2)
	}
	for k := range m {
		sink += int(k)
	}
	sink += len(pointers)
}

func values() []interface{} {
	return []interface{}{
		map[int]int{},
		map[int32]string{},
		map[string]int{},
		map[string]*node{},
		named{},
		map[point]string{},
		map[bigKey]bigValue{},
		map[interface{}]func(int) error{},
		map[*node]chan int{},
		map[string]map[string][]byte{},
		map[[3]string]struct{}{},
		map[uint8]float64{},
	}
}

type iface struct{ typ, data unsafe.Pointer }

func printTypes() {
	base := reflect.ValueOf(chains).Pointer()
	for _, v := range values() {
		t := reflect.TypeOf(v)
		typ := uintptr((*iface)(unsafe.Pointer(&v)).typ)
		fmt.Printf("%d\t%s\t%s\t%s\n", int64(typ)-int64(base), t, t.Key(), t.Elem())
	}
}

func callers(pcs []uintptr) int { return runtime.Callers(1, pcs) }

func callersInlined(pcs []uintptr) int { return callers(pcs) }

//go:noinline
func deep(pcs []uintptr, n int) int {
	if n == 0 {
		return callersInlined(pcs)
	}
	return deep(pcs, n-1)
}

func printFrames() {
	base := reflect.ValueOf(chains).Pointer()
	pcs := make([]uintptr, 64)
	pcs = pcs[:deep(pcs, 2)]
	for _, pc := range pcs {
		fmt.Printf("pc\t%d\n", int64(pc)-int64(base))
	}
	frames := runtime.CallersFrames(pcs)
	for {
		frame, more := frames.Next()
		fmt.Printf("frame\t%s\t%s\t%d\n", frame.Function, frame.File, frame.Line)
		if !more {
			break
		}
	}
}

func main() {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "types":
			printTypes()
		case "frames":
			printFrames()
		}
		return
	}
	chains(200)
	small(200)
	println(sink)
}
