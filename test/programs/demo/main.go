// demo is a small service with the maps that services have. It runs until it is told to stop, or for the time given:
//
//	demo [-for 10s]
//
// A tracer should see, each second:
//
//	map[string]*main.session  sessions are opened while a reader ranges over all of them: the lock is released between two
//	                          steps of the loop, so the map grows while it is traversed (classic maps: "iterating")
//	map[int32]string          a cache whose live count stays flat: same-size growth in classic maps, tombstones in the others
//	map[string][]uint8        the labels of a request, a small map each, made without a hint
//	map[[2]int]bool           the grid of an index that is rebuilt twice a second, from 0 to some 6,000 keys
//	map[int]int               counters of a batch, which grow to a few hundred keys and are thrown away
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"
)

type session struct {
	user string
	hits int
}

// sessionStore holds sessions by token, one writer beside one ranging reader.
type sessionStore struct {
	mu       sync.RWMutex
	sessions map[string]*session
	opened   int
}

func newSessionStore() *sessionStore {
	return &sessionStore{sessions: make(map[string]*session)}
}

func (s *sessionStore) open(count int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := 0; i < count; i++ {
		s.opened++
		token := "token-" + strconv.Itoa(s.opened)
		s.sessions[token] = &session{user: "user-" + strconv.Itoa(s.opened%100)}
	}
}

// audit visits every session, but lets the writer in after each hundred.
func (s *sessionStore) audit(pause func()) int {
	visited := 0
	s.mu.RLock()
	for _, open := range s.sessions {
		if open.user != "" {
			visited++
		}
		if visited%100 == 0 {
			s.mu.RUnlock()
			pause()
			s.mu.RLock()
		}
	}
	s.mu.RUnlock()
	return visited
}

func (s *sessionStore) expireAll() {
	s.mu.Lock()
	s.sessions = make(map[string]*session)
	s.mu.Unlock()
}

// pageCache keeps the newest pages: each new one pushes the oldest one out.
type pageCache struct {
	pages map[int32]string
	next  int32
}

const cachedPages = 200

func (c *pageCache) put(page string) {
	c.pages[c.next] = page
	delete(c.pages, c.next-cachedPages)
	c.next++
}

func handle(request int) int {
	labels := make(map[string][]byte)
	addLabel(labels, "path", "/items/"+strconv.Itoa(request%50))
	addLabel(labels, "method", "GET")
	for i := 0; i < 8+request%20; i++ {
		addLabel(labels, "header-"+strconv.Itoa(i), "value")
	}
	return len(labels)
}

func addLabel(labels map[string][]byte, name, value string) {
	labels[name] = []byte(value)
}

type index struct {
	grid map[[2]int]bool
}

func (x *index) rebuild(size int) {
	x.grid = make(map[[2]int]bool)
	for i := 0; i < size; i++ {
		x.grid[[2]int{i % 97, i}] = true
	}
}

func countBatch(batch int) int {
	counts := make(map[int]int)
	for i := 0; i < 400; i++ {
		counts[(i*i+batch)%701]++
	}
	return len(counts)
}

// every calls step at that interval until stop is closed.
func every(interval time.Duration, stop <-chan struct{}, running *sync.WaitGroup, step func(n int)) {
	running.Add(1)
	go func() {
		defer running.Done()
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			case <-ticker.C:
				step(n)
			}
		}
	}()
}

func main() {
	length := flag.Duration("for", 0, "how long to run; 0 is until SIGINT or SIGTERM")
	flag.Parse()
	fmt.Println("demo: pid", os.Getpid(), "serves sessions, pages, labels, an index and batches from maps that grow")

	stop := make(chan struct{})
	var running sync.WaitGroup

	store := newSessionStore()
	every(2*time.Millisecond, stop, &running, func(n int) {
		if n%1500 == 1499 {
			store.expireAll()
		}
		store.open(20)
	})
	every(20*time.Millisecond, stop, &running, func(int) {
		store.audit(func() { time.Sleep(time.Millisecond) })
	})

	cache := &pageCache{pages: make(map[int32]string)}
	every(5*time.Millisecond, stop, &running, func(n int) {
		for i := 0; i < 100; i++ {
			cache.put("page")
		}
		if n%400 == 399 {
			cache.pages = make(map[int32]string)
		}
	})

	var served int
	every(10*time.Millisecond, stop, &running, func(n int) {
		for i := 0; i < 5; i++ {
			served += handle(n*5 + i)
		}
	})

	search := &index{}
	every(500*time.Millisecond, stop, &running, func(n int) { search.rebuild(5000 + n%5*500) })
	every(25*time.Millisecond, stop, &running, func(n int) { served += countBatch(n) })

	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	var timeout <-chan time.Time
	if *length > 0 {
		timeout = time.After(*length)
	}
	select {
	case <-signals:
	case <-timeout:
	}
	close(stop)
	running.Wait()
	fmt.Println("demo: stopped after", store.opened, "sessions")
}
