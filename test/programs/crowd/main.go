// crowd has many goroutines that fill small maps of many types: what fills the tables of a tracer.
//
//	crowd GOROUTINES TYPES DURATION
//
// The types are made at run time; a goroutine fills a map, sleeps some seconds, and takes the next type. Every hundredth map is filled by a
// goroutine of its own.
package main

import (
	"fmt"
	"os"
	"reflect"
	"strconv"
	"time"
)

func fill(t reflect.Type) {
	m := reflect.MakeMap(t)
	for i := 0; i < 60; i++ {
		m.SetMapIndex(reflect.ValueOf(i), reflect.Zero(t.Elem()))
	}
	if m.Len() != 60 {
		fmt.Println("CORRUPT", m.Len())
		os.Exit(1)
	}
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: crowd GOROUTINES TYPES DURATION")
		os.Exit(2)
	}
	goroutines, err := strconv.Atoi(os.Args[1])
	types, err2 := strconv.Atoi(os.Args[2])
	length, err3 := time.ParseDuration(os.Args[3])
	if err != nil || err2 != nil || err3 != nil {
		fmt.Fprintln(os.Stderr, err, err2, err3)
		os.Exit(2)
	}
	made := make([]reflect.Type, types)
	for i := range made {
		made[i] = reflect.MapOf(reflect.TypeOf(0), reflect.ArrayOf(i+1, reflect.TypeOf(byte(0))))
	}
	for g := 0; g < goroutines; g++ {
		go func(g int) {
			for i := g; ; i++ {
				t := made[i%types]
				if i%100 == 0 {
					done := make(chan bool)
					go func() { fill(t); done <- true }()
					<-done
				} else {
					fill(t)
				}
				time.Sleep(time.Duration(4000+g%4000) * time.Millisecond)
			}
		}(g)
	}
	fmt.Println("pid", os.Getpid())
	time.Sleep(length)
}
