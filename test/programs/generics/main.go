// Fills maps of nested generic types and prints the names of their types.
package main

import "fmt"

type Box[T any] struct{ v T }
type Pair[A, B any] struct {
	a A
	b B
}
type Cache[K comparable, V any] struct{ m map[K]V }

func (c *Cache[K, V]) Put(k K, v V) {
	if c.m == nil {
		c.m = map[K]V{}
	}
	c.m[k] = v
}

type Named[K comparable, V any] map[K]V

func fill[T any](x T) map[int]Box[Box[T]] {
	m := map[int]Box[Box[T]]{}
	for i := 0; i < 100; i++ {
		m[i] = Box[Box[T]]{Box[T]{x}}
	}
	return m
}

func main() {
	c := &Cache[string, Pair[int, Box[map[string]Box[int]]]]{}
	for i := 0; i < 100; i++ {
		c.Put(fmt.Sprint(i), Pair[int, Box[map[string]Box[int]]]{})
	}
	m := fill(Pair[int, Box[string]]{})
	n := Named[Pair[int, Box[string]], Box[Box[int]]]{}
	for i := 0; i < 100; i++ {
		n[Pair[int, Box[string]]{a: i}] = Box[Box[int]]{}
	}
	fmt.Printf("%T\n%T\n%T\n", c.m, m, n)
}
