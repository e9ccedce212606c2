// This file is left out when cgo is disabled; with it, the program is linked by the C linker, as services with a C library
// in them are.

package main

import "C"
