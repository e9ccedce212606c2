// regrow grows a map once in each of many goroutines, and once more in each when all have done so and are still there.
//
//	regrow goroutines
package main

import (
	"os"
	"strconv"
	"sync"
)

//go:noinline
func grow() int {
	m := make(map[int32]int)
	for i := int32(0); i < 9; i++ {
		m[i] = 1 // the ninth entry makes it grow
	}
	return len(m)
}

func main() {
	goroutines, err := strconv.Atoi(os.Args[1])
	if err != nil {
		os.Exit(2)
	}
	var first, all sync.WaitGroup
	first.Add(goroutines)
	all.Add(goroutines)
	for i := 0; i < goroutines; i++ {
		go func() {
			defer all.Done()
			grow()
			first.Done()
			first.Wait()
			grow()
		}()
	}
	all.Wait()
}
