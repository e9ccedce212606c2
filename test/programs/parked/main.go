// parked puts goroutines to rest in known places and says where they are, so that a reader of goroutine stacks can be compared with
// the program's own runtime: channels, locks, select, sleep, system calls, deep stacks, loops over maps.
//
//	parked [-many n]
//
// When all are at rest it prints one JSON object: the addresses of the locks, the number of goroutines, and the output of runtime.Stack for
// all of them. Then its main goroutine waits for standard input to end, which ends the program. With GOTRACEBACK=system, SIGQUIT
// ends it with all stacks on standard error, those of the runtime too. -many starts n more goroutines that wait, at stack depths
// from 0 to 19.
//
// A snapshot should show the same stacks, three goroutines that wait for a sync.Mutex, two for a sync.RWMutex to read and two to write, and loops over
// a map[string]int of 120 entries and over a map[int]int of 209 that (with classic maps) is still growing.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/ioutil"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

type store struct {
	name  string
	mu    sync.Mutex
	items map[string]int
}

var (
	never   = make(chan int)
	arrived int32
	shared  = &store{name: "shared", items: map[string]int{"a": 1, "b": 2, "c": 3}}
	rw      sync.RWMutex
	rwWrite sync.RWMutex
	group   sync.WaitGroup
	sink    int

	// Filled by files that are not in every build.
	extra []func()
)

// here is called right before a goroutine comes to rest.
func here() { atomic.AddInt32(&arrived, 1) }

//go:noinline
func receive() { here(); <-never }

//go:noinline
func receiveNil() { var c chan int; here(); <-c }

//go:noinline
func send() { here(); never2 <- 1 }

var never2 = make(chan int)

//go:noinline
func choose(c chan string) {
	here()
	select {
	case <-never:
	case <-c:
	}
}

//go:noinline
func chooseNothing() { here(); select {} }

//go:noinline
func sleep() { here(); time.Sleep(time.Hour) }

func (s *store) put(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.items[key] = len(key)
}

//go:noinline
func (s *store) loopLocked(held chan bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(held)
	for key := range s.items {
		here()
		<-never
		sink += len(key) + len(s.name)
	}
}

//go:noinline
func holdToRead(held chan bool) {
	rw.RLock()
	close(held)
	here()
	<-never
	rw.RUnlock()
}

//go:noinline
func holdToWrite(held chan bool) {
	rwWrite.Lock()
	close(held)
	here()
	<-never
	rwWrite.Unlock()
}

//go:noinline
func read(l *sync.RWMutex) { here(); l.RLock(); sink++; l.RUnlock() }

//go:noinline
func write(l *sync.RWMutex) { here(); l.Lock(); sink++; l.Unlock() }

//go:noinline
func waitForGroup() { here(); group.Wait() }

//go:noinline
func waitForCond() {
	c := sync.NewCond(&sync.Mutex{})
	c.L.Lock()
	here()
	c.Wait()
}

//go:noinline
func deep(n int) int {
	var frame [8]int
	frame[n%8] = n
	if n == 0 {
		here()
		return <-never
	}
	return deep(n-1) + frame[n%8]
}

//go:noinline
func readPipe(r *os.File) {
	var b [1]byte
	here()
	r.Read(b[:])
}

//go:noinline
func readDescriptor(fd int) {
	var b [1]byte
	here()
	syscall.Read(fd, b[:])
}

//go:noinline
func loopOverStrings(m map[string]int) {
	for key, value := range m {
		sink += len(key) + value
		here()
		<-never
	}
}

//go:noinline
func loopOverInts(m map[int]int) {
	for key := range m {
		sink += key
		here()
		<-never
	}
}

// The loop has come to its end: nothing is iterated any more.
//
//go:noinline
func afterLoop(m map[string]int) {
	for key := range m {
		sink += len(key)
	}
	here()
	<-never
	sink += len(m)
}

func inner(c chan int) int  { return <-c }
func middle(c chan int) int { return inner(c) + 1 }

//go:noinline
func inlined() { here(); sink += middle(never) }

//go:noinline
func anonymous() {
	defer func() { recover() }()
	func() {
		here()
		<-never
	}()
}

type walker interface{ walk() }
type byValue struct{ n int }

func (w byValue) walk() { here(); <-never; sink += w.n }

//go:noinline
func throughInterface(w walker) { w.walk() }

func panicking() {
	defer func() {
		here()
		<-never
	}()
	var p *store
	sink = len(p.name)
}

func main() {
	many := flag.Int("many", 0, "how many more goroutines")
	flag.Parse()
	// So that nothing moves but what is meant to.
	debug.SetGCPercent(-1)

	// No initialiser: what matters is how they grow.
	strings, ints := map[string]int{}, map[int]int{}
	for i := 0; i < 120; i++ {
		strings["key-"+strconv.Itoa(i)] = i
	}
	for i := 0; i < 209; i++ {
		ints[i] = i
	}
	group.Add(1)
	r, w, err := os.Pipe()
	fds := [2]int{}
	if err == nil {
		err = syscall.Pipe(fds[:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}

	wanted := int32(0)
	start := func(f func()) {
		wanted++
		go f()
	}
	mutexHeld, readHeld, writeHeld := make(chan bool), make(chan bool), make(chan bool)
	start(func() { shared.loopLocked(mutexHeld) })
	start(func() { holdToRead(readHeld) })
	start(func() { holdToWrite(writeHeld) })
	<-mutexHeld
	<-readHeld
	<-writeHeld
	start(receive)
	start(receive)
	start(receiveNil)
	start(send)
	start(func() { choose(make(chan string)) })
	start(chooseNothing)
	start(sleep)
	for i := 0; i < 3; i++ {
		key := strconv.Itoa(i)
		start(func() { here(); shared.put(key) })
	}
	// One writer waits for the reader, the other for the first writer; then readers wait for the writers.
	start(func() { write(&rw) })
	time.Sleep(20 * time.Millisecond)
	start(func() { write(&rw) })
	time.Sleep(20 * time.Millisecond)
	start(func() { read(&rw) })
	start(func() { read(&rw) })
	start(func() { read(&rwWrite) })
	start(waitForGroup)
	start(waitForCond)
	start(func() { deep(90) })
	start(func() { deep(150) })
	start(func() { deep(900) })
	start(func() { readPipe(r) })
	start(func() { readDescriptor(fds[0]) })
	start(func() { loopOverStrings(strings) })
	start(func() { loopOverInts(ints) })
	start(func() { afterLoop(strings) })
	start(inlined)
	start(anonymous)
	start(func() { throughInterface(byValue{1}) })
	start(func() { throughInterface(&byValue{2}) })
	start(panicking)
	for _, f := range extra {
		start(f)
	}
	for i := 0; i < *many; i++ {
		depth := i % 20
		start(func() { deep(depth) })
	}
	for atomic.LoadInt32(&arrived) < wanted {
		time.Sleep(time.Millisecond)
	}
	// From saying so to being at rest it takes a moment.
	time.Sleep(100 * time.Millisecond)

	stacks := ""
	if *many == 0 {
		buf := make([]byte, 4<<20)
		stacks = string(buf[:runtime.Stack(buf, true)])
	}
	address := func(p unsafe.Pointer) string { return fmt.Sprintf("0x%x", uintptr(p)) }
	line, err := json.Marshal(map[string]interface{}{
		"mutex":      address(unsafe.Pointer(&shared.mu)),
		"rw":         address(unsafe.Pointer(&rw)),
		"rwWrite":    address(unsafe.Pointer(&rwWrite)),
		"goroutines": runtime.NumGoroutine(),
		"stacks":     stacks,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(string(line))
	io.Copy(ioutil.Discard, os.Stdin)
	runtime.KeepAlive(w)
}
