// served is an HTTP server whose handlers fill maps, and the load on it, as two processes over the loopback interface. It runs on a Go
// runtime that counts the calls of its own growth functions (see counted), so that a tracer's counts can be compared with the truth.
//
//	served serve                       prints {"phase":"ready","pid":N,"url":"http://127.0.0.1:PORT"} and serves until SIGTERM
//	served load URL CLIENTS DURATION   asks as fast as it is answered; prints {"requests":N,"seconds":S}
//
// GET /report?lines=N counts the words of N made-up lines, groups the lines by user and looks for double ones: four maps from empty to a few
// hundred entries. GET /counts answers {"runtime.hashGrow":N,...}: the calls so far.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type line struct {
	user  int
	words []string
}

func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	return x ^ x>>33
}

var vocabulary []string

func makeLines(seed uint64, n int) []line {
	lines := make([]line, n)
	for i := range lines {
		r := mix(seed + uint64(i))
		lines[i] = line{user: int(r % 97), words: []string{
			vocabulary[r>>8%uint64(len(vocabulary))], vocabulary[r>>24%uint64(len(vocabulary))], vocabulary[r>>40%uint64(len(vocabulary))],
		}}
	}
	return lines
}

func report(lines []line) string {
	words := map[string]int{}
	users := map[int][]int{}
	seen := map[uint64]bool{}
	pairs := map[[2]int]int{}
	for i, l := range lines {
		hash := uint64(l.user)
		for j, w := range l.words {
			words[w]++
			hash = mix(hash ^ uint64(len(w)+j))
		}
		users[l.user] = append(users[l.user], i)
		seen[hash] = true
		pairs[[2]int{l.user, len(l.words[0])}]++
	}
	top := make([]string, 0, len(words))
	for w := range words {
		top = append(top, w)
	}
	sort.Slice(top, func(a, b int) bool {
		return words[top[a]] > words[top[b]] || words[top[a]] == words[top[b]] && top[a] < top[b]
	})
	if len(top) > 5 {
		top = top[:5]
	}
	return fmt.Sprintln(len(words), len(users), len(seen), len(pairs), strings.Join(top, " "))
}

func serve() {
	vocabulary = make([]string, 2000)
	for i := range vocabulary {
		vocabulary[i] = "word-" + strconv.Itoa(i)
	}
	var requests uint64
	http.HandleFunc("/report", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.FormValue("lines"))
		if err != nil || n < 1 || n > 100000 {
			http.Error(w, "lines", http.StatusBadRequest)
			return
		}
		io.WriteString(w, report(makeLines(atomic.AddUint64(&requests, 1)<<20, n)))
	})
	http.HandleFunc("/counts", func(w http.ResponseWriter, r *http.Request) {
		names, calls := runtime.GrowthCalls()
		fields := make([]string, len(names))
		for i, name := range names {
			fields[i] = strconv.Quote(name) + ":" + strconv.FormatUint(calls[i], 10)
		}
		fmt.Fprintf(w, "{%s}\n", strings.Join(fields, ","))
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	go func() {
		<-asked
		os.Exit(0)
	}()
	fmt.Printf("{\"phase\":\"ready\",\"pid\":%d,\"url\":\"http://%s\"}\n", os.Getpid(), listener.Addr())
	fmt.Fprintln(os.Stderr, http.Serve(listener, nil))
	os.Exit(1)
}

func load(url string, clients int, length time.Duration) {
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = clients
	var requests, failed uint64
	var done sync.WaitGroup
	start := time.Now()
	for c := 0; c < clients; c++ {
		done.Add(1)
		go func() {
			defer done.Done()
			for time.Since(start) < length {
				answer, err := http.Get(url + "/report?lines=300")
				if err != nil || answer.StatusCode != 200 {
					atomic.AddUint64(&failed, 1)
					return
				}
				io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
				atomic.AddUint64(&requests, 1)
			}
		}()
	}
	done.Wait()
	fmt.Printf("{\"requests\":%d,\"failed\":%d,\"seconds\":%.6f}\n", requests, failed, time.Since(start).Seconds())
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "serve" {
		serve()
	}
	if len(os.Args) == 5 && os.Args[1] == "load" {
		clients, err := strconv.Atoi(os.Args[3])
		length, err2 := time.ParseDuration(os.Args[4])
		if err == nil && err2 == nil && clients > 0 {
			load(os.Args[2], clients, length)
			return
		}
	}
	fmt.Fprintln(os.Stderr, "usage: served serve | served load URL CLIENTS DURATION")
	os.Exit(2)
}
