// SPDX-License-Identifier: Apache-2.0
/*
 * Closes a descriptor without waiting for it. Closing a uprobe_multi link takes the probes out at once but then waits for tens of milliseconds until no program can run any
 * more. A process that shares our memory and descriptors does nothing but that one system call; it is no thread of ours, and uses nothing of the C library.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define STACK_BYTES 16384

/* As a plain system call: the C library's errno belongs to the thread that we left. */
static long plain_syscall(long number, long argument)
{
	long result;
#if defined(__x86_64__)
	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(argument) : "rcx", "r11", "memory");
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = argument;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8) : "memory");
	result = x0;
#endif
	return result;
}

__attribute__((no_stack_protector)) static int close_and_end(void *fd)
{
	plain_syscall(SYS_close, (long)(intptr_t)fd);
	plain_syscall(SYS_exit, 0);
	return 0;
}

struct closing {
	int32_t pid;    /* 0: none under way */
	uint64_t stack;
};

/* Begins to close the descriptor. Returns 0 and fills *closing, or -errno: then nothing has been closed. */
EXPORT int gmg_close_later(int fd, struct closing *closing)
{
	char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	int pid;

	if (stack == MAP_FAILED)
		return -errno;
	pid = clone(close_and_end, stack + STACK_BYTES, CLONE_VM | CLONE_FILES, (void *)(intptr_t)fd);
	if (pid < 0) {
		int saved = errno;
		munmap(stack, STACK_BYTES);
		return -saved;
	}
	closing->pid = pid;
	closing->stack = (uint64_t)(uintptr_t)stack;
	return 0;
}

/* Whether it is closed; `wait`: returns only then. 1, 0 or -errno; once it is, *closing is empty. */
EXPORT int gmg_closed(struct closing *closing, int wait)
{
	int status;
	pid_t got;

	if (closing->pid == 0)
		return 1;
	do
		got = waitpid(closing->pid, &status, __WCLONE | (wait ? 0 : WNOHANG));
	while (got < 0 && errno == EINTR);
	if (got == 0)
		return 0;
	munmap((void *)(uintptr_t)closing->stack, STACK_BYTES);
	closing->pid = 0;
	return got < 0 ? -errno : 1;
}
