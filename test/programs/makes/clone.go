//go:build go1.21
// +build go1.21

package main

import "maps"

var source = map[int]int{1: 1, 2: 2}

// A copy of a map: its size is known, and no hint can be given.
//
//go:noinline
func clones(made map[string]int) {
	kept = maps.Clone(source)
	made["clone"]++
}
