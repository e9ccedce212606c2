// This file is left out when cgo is disabled.

package main

/*
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void __attribute__((constructor)) before_go(void)
{
	pid_t child;
	int status;

	if (!getenv("FORK"))
		return;
	child = fork();
	if (child == 0)
		return;
	if (child < 0 || waitpid(child, &status, 0) != child)
		_exit(111);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 112);
}
*/
import "C"
