package main

/*
#include <unistd.h>

extern void goCallback(void);

static void waitInC(void) { for (;;) pause(); }
void callBack(void);
*/
import "C"

func init() {
	extra = append(extra, inC, throughC)
}

//go:noinline
func inC() {
	here()
	C.waitInC()
}

//go:noinline
func throughC() { C.callBack() }

//export goCallback
func goCallback() {
	here()
	<-never
}
