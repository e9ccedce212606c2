// flood fills maps in so many goroutines (as many as there are processors) and does nothing else, so that a tracer of map growth gets as many events as
// there can be.
//
//	flood KEYS [GOROUTINES]
//
// Each 50 ms it prints how many maps have been filled, and the monotonic time in nanoseconds; on SIGTERM "OK".
package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

var fills uint64

func fill(keys int) {
	m := map[int]int{}
	for i := 0; i < keys; i++ {
		m[i] = i
	}
	if len(m) != keys || m[keys-1] != keys-1 {
		fmt.Println("CORRUPT", len(m), m[keys-1])
		os.Exit(1)
	}
	atomic.AddUint64(&fills, 1)
}

func main() {
	keys, goroutines := 0, runtime.NumCPU()
	if len(os.Args) >= 2 {
		keys, _ = strconv.Atoi(os.Args[1])
	}
	if len(os.Args) >= 3 {
		goroutines, _ = strconv.Atoi(os.Args[2])
	}
	if keys < 1 || goroutines < 1 {
		fmt.Fprintln(os.Stderr, "usage: flood KEYS [GOROUTINES]")
		os.Exit(2)
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	// One more thread for the progress.
	runtime.GOMAXPROCS(goroutines + 1)
	for i := 0; i < goroutines; i++ {
		go func() {
			for {
				fill(keys)
			}
		}()
	}
	start := time.Now()
	tick := time.NewTicker(50 * time.Millisecond)
	for {
		select {
		case <-tick.C:
			fmt.Println(atomic.LoadUint64(&fills), time.Since(start).Nanoseconds())
		case <-asked:
			fmt.Println("OK")
			return
		}
	}
}
