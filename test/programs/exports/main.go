// Go called from C: stacks that go through both, and C functions that have to be named.
//
// Run without arguments it prints the return addresses of a stack inside an exported function, relative to its code, the frames
// that the runtime finds for them, and where C functions are.
package main

// #include "calls.h"
import "C"

import (
	"fmt"
	"reflect"
	"runtime"
)

//go:noinline
func base() {}

func from() int64 { return int64(reflect.ValueOf(base).Pointer()) }

func callers(pcs []uintptr) int { return runtime.Callers(1, pcs) }

//export growFromC
func growFromC(n C.int) C.int {
	m := map[int]int{}
	for i := 0; i < int(n); i++ {
		m[i] = i
	}
	pcs := make([]uintptr, 64)
	pcs = pcs[:callers(pcs)]
	for _, pc := range pcs {
		fmt.Printf("pc\t%d\n", int64(pc)-from())
	}
	frames := runtime.CallersFrames(pcs)
	for {
		frame, more := frames.Next()
		fmt.Printf("frame\t%s\t%s\t%d\n", frame.Function, frame.File, frame.Line)
		if !more {
			break
		}
	}
	return C.int(len(m))
}

//export addFromC
func addFromC(a, b C.int) C.int { return a + b }

func main() {
	base()
	fmt.Printf("c\tcall_go\t%d\n", int64(uintptr(C.address_of_call_go()))-from())
	fmt.Printf("c\taddress_of_call_go\t%d\n", int64(uintptr(C.address_of_itself()))-from())
	if n := C.call_go(100); n != 103 {
		panic(n)
	}
}
