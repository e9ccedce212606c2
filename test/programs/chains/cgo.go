package main

// static int twice(int n) { return 2 * n; }
import "C"

// Left out of builds without cgo; in the others it links runtime/cgo and the C library.
func init() { sink += int(C.twice(C.int(1))) }
