#include "calls.h"
#include "_cgo_export.h"

int call_go(int n) { return addFromC(growFromC(n), 3); }

uintptr_t address_of_call_go(void) { return (uintptr_t)call_go; }

uintptr_t address_of_itself(void) { return (uintptr_t)address_of_call_go; }
