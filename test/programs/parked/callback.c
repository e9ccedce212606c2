#include "_cgo_export.h"

void callBack(void) { goCallback(); }
