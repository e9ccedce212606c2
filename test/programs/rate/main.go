// rate grows maps at a set rate, and knows how many it has grown: each map is grown once, by its own arithmetic.
//
//	rate [-small N] [-large N] [-burst 50ms] [-phase 10s] [-threads N] [-for 10s]
//
// A small map gets nine keys: from 8 slots to 16. A large one is made for 100 keys and gets 113: classic maps have 16 buckets, which 105 are too many for, and the others
// 128 slots, of which 112 may be used. -small and -large are growths a second, over all threads. With -burst the growths of each second happen at its beginning, as fast as
// the burst allows; with -phase there are none in every second phase.
//
// It prints "ready", waits for a line on standard input, works, and ends with {"small":N,"large":N}.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	smallKeys = 9
	largeHint = 100
	largeKeys = 113
)

var small, large int64

//go:noinline
func growSmall() int {
	m := make(map[int]int)
	for i := 0; i < smallKeys; i++ {
		m[i] = i
	}
	return len(m)
}

//go:noinline
func growLarge() int {
	m := make(map[int]int, largeHint)
	for i := 0; i < largeKeys; i++ {
		m[i] = i
	}
	return len(m)
}

// due is how many growths of a rate must have happened after that time.
func due(rate float64, at, burst, phase time.Duration) int64 {
	grown := at
	if phase > 0 {
		whole := at / (2 * phase)
		grown = whole * phase
		if rest := at - whole*2*phase; rest < phase {
			grown += rest
		} else {
			grown += phase
		}
	}
	if burst > 0 {
		second := grown.Truncate(time.Second)
		part := float64(grown-second) / float64(burst)
		if part > 1 {
			part = 1
		}
		return int64(rate * (second.Seconds() + part))
	}
	return int64(rate * grown.Seconds())
}

func main() {
	smallRate := flag.Float64("small", 0, "growths of small maps a second")
	largeRate := flag.Float64("large", 0, "growths of large maps a second")
	burst := flag.Duration("burst", 0, "all growths of a second within so long")
	phase := flag.Duration("phase", 0, "no growths in every second phase of this length")
	threads := flag.Int("threads", 1, "goroutines, each on a thread")
	length := flag.Duration("for", 10*time.Second, "how long")
	flag.Parse()
	if *threads > runtime.GOMAXPROCS(0) {
		runtime.GOMAXPROCS(*threads)
	}
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		fmt.Fprintln(os.Stderr, "no line on standard input:", err)
		os.Exit(2)
	}
	begun := time.Now()
	var running sync.WaitGroup
	for n := 0; n < *threads; n++ {
		running.Add(1)
		go func() {
			defer running.Done()
			share := 1 / float64(*threads)
			var smallDone, largeDone int64
			for {
				at := time.Since(begun)
				if at >= *length {
					break
				}
				for wanted := due(*smallRate*share, at, *burst, *phase); smallDone < wanted && time.Since(begun) < *length; smallDone++ {
					growSmall()
				}
				for wanted := due(*largeRate*share, at, *burst, *phase); largeDone < wanted && time.Since(begun) < *length; largeDone++ {
					growLarge()
				}
				time.Sleep(500 * time.Microsecond)
			}
			atomic.AddInt64(&small, smallDone)
			atomic.AddInt64(&large, largeDone)
		}()
	}
	running.Wait()
	fmt.Printf("{\"small\":%d,\"large\":%d}\n", small, large)
	// The tracer's last window is to be over before the process is.
	time.Sleep(100 * time.Millisecond)
}
