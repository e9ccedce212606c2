#include <stdint.h>

int call_go(int n);
uintptr_t address_of_call_go(void);
uintptr_t address_of_itself(void);
