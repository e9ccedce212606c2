// SPDX-License-Identifier: Apache-2.0
/*
 * Lets stopped processes go when nobody else does. A program that is executed under observation is stopped before its first instruction (bpf/follow.h), and the tool, which attaches its probes
 * and sends SIGCONT, may be stopped itself, or killed. The watchman is a process of its own, in a session of its own, so that what stops or kills the tool does not reach it. It
 * continues each process after a second at most, and all of them when the tool has ended. It also wakes the tool when the kernel has news: Bun cannot wait for a ring buffer.
 *
 * It executes this very library, which is an executable with the entry point gmg_watchman_start: a forked copy of the tool would keep the tool's old memory. No loader prepares it, so it uses
 * nothing but system calls and its stack: no C library, no relocations, no stack protector.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define BARE __attribute__((no_stack_protector, noinline))

/* Its descriptors. */
enum { HELD = 3, EVENTS = 4, WAKE = 5, TOOL = 6, HOLDING = 7, PROGRAM = 8 };

#define LOOK_MS 250
#define MOST_HELD_NS 1000000000ull
/* The kernel programs may run a little longer than the tool. */
#define LAST_LOOKS 20
#define LAST_LOOK_MS 100
#define STACK_BYTES 16384

static inline __attribute__((always_inline)) long sys6(long number, long a, long b, long c, long d, long e, long f)
{
#if defined(__x86_64__)
	long result;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return result;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
#endif
}

#define SYS(number, a, b, c, d) sys6(number, (long)(a), (long)(b), (long)(c), (long)(d), 0, 8)

/* The part of union bpf_attr for elements of maps. */
struct element {
	uint32_t fd;
	uint32_t pad;
	uint64_t key;
	uint64_t value;
	uint64_t flags;
};

BARE static long on_map(int command, int fd, void *key, void *value)
{
	struct element element = { .fd = (uint32_t)fd, .key = (uint64_t)(uintptr_t)key, .value = (uint64_t)(uintptr_t)value };

	return SYS(SYS_bpf, command, &element, sizeof(element), 0);
}

BARE static uint64_t monotonic_ns(void)
{
	struct timespec time;

	SYS(SYS_clock_gettime, CLOCK_MONOTONIC, &time, 0, 0);
	return (uint64_t)time.tv_sec * 1000000000ull + (uint64_t)time.tv_nsec;
}

/* Continues those that have been stopped for so long. Returns how many. */
BARE static int let_go(uint64_t longer_than_ns)
{
	uint64_t now = monotonic_ns(), since;
	uint32_t pid, next;
	int count = 0;
	long more = on_map(BPF_MAP_GET_NEXT_KEY, HELD, (void *)0, &next);

	while (more == 0) {
		pid = next;
		more = on_map(BPF_MAP_GET_NEXT_KEY, HELD, &pid, &next);
		if (on_map(BPF_MAP_LOOKUP_ELEM, HELD, &pid, &since) || now - since < longer_than_ns)
			continue;
		/* The entry first: from then on the tool knows that it comes too late. */
		if (on_map(BPF_MAP_DELETE_ELEM, HELD, &pid, (void *)0) == 0) {
			SYS(SYS_kill, pid, SIGCONT, 0, 0);
			count++;
		}
	}
	return count;
}

BARE static void watch_over(void)
{
	struct epoll_event wanted = { .events = EPOLLIN | EPOLLET, .data.fd = EVENTS }, events[2];
	uint32_t zero = 0, no = 0;
	uint64_t blocked = ~0ull;
	int poll, gone = 0;

	/* A closed pipe is an error, no signal. */
	SYS(SYS_rt_sigprocmask, SIG_SETMASK, &blocked, 0, sizeof(blocked));
	SYS(SYS_setsid, 0, 0, 0, 0);
	poll = (int)SYS(SYS_epoll_create1, 0, 0, 0, 0);
	SYS(SYS_epoll_ctl, poll, EPOLL_CTL_ADD, EVENTS, &wanted);
	wanted.events = EPOLLIN;
	wanted.data.fd = TOOL;
	SYS(SYS_epoll_ctl, poll, EPOLL_CTL_ADD, TOOL, &wanted);
	while (!gone) {
		long count = SYS(SYS_epoll_pwait, poll, events, 2, LOOK_MS);

		if (count < 0 && count != -EINTR)
			break;
		for (long i = 0; i < count; i++) {
			if (events[i].data.fd == TOOL)
				gone = 1;
			else
				SYS(SYS_write, WAKE, &zero, 1, 0);
		}
		/* A tool that does not come for one in time does not come for the next ones either: none is stopped until it says otherwise. */
		if (let_go(MOST_HELD_NS))
			on_map(BPF_MAP_UPDATE_ELEM, HOLDING, &zero, &no);
	}
	for (int i = 0; i < LAST_LOOKS; i++) {
		struct timespec time = { .tv_nsec = LAST_LOOK_MS * 1000000l };

		let_go(0);
		SYS(SYS_nanosleep, &time, 0, 0, 0);
	}
	SYS(SYS_exit_group, 0, 0, 0, 0);
}

__attribute__((visibility("hidden"), used, no_stack_protector, noreturn)) void gmg_watchman_main(void)
{
	watch_over();
	__builtin_unreachable();
}

EXPORT void gmg_watchman_start(void);
#if defined(__x86_64__)
__asm__(".text\n.globl gmg_watchman_start\n.type gmg_watchman_start, @function\ngmg_watchman_start:\n\txor %ebp, %ebp\n\tand $-16, %rsp\n\tcall gmg_watchman_main\n\thlt\n"
	".size gmg_watchman_start, .-gmg_watchman_start\n");
#elif defined(__aarch64__)
__asm__(".text\n.globl gmg_watchman_start\n.type gmg_watchman_start, %function\ngmg_watchman_start:\n\tbl gmg_watchman_main\n\tbrk #1\n"
	".size gmg_watchman_start, .-gmg_watchman_start\n");
#endif

/* Descriptors of the tool, in the order of those of the watchman; `wake` and `tool` are filled in here. */
struct watchman {
	int32_t held;
	int32_t events;
	int32_t wake;
	int32_t tool;
	int32_t holding;
	int32_t program;
	int32_t woken; /* what the tool reads */
};

#define CHILD_FD 64

__attribute__((no_stack_protector)) static int become(void *argument)
{
	const int32_t *from = argument;
	char name[] = "gomapgrow-watch";
	char *argv[] = { name, (void *)0 }, *env[] = { (void *)0 };
	char empty[1] = { 0 };

	/* First out of the way of each other. */
	for (int i = 0; i < 6; i++)
		SYS(SYS_dup3, from[i], CHILD_FD + i, 0, 0);
	for (int i = 0; i < 6; i++)
		SYS(SYS_dup3, CHILD_FD + i, HELD + i, 0, 0);
	/* Whoever reads the tool's output waits for its end, not for ours. */
	for (int fd = 0; fd < HELD; fd++)
		SYS(SYS_close, fd, 0, 0, 0);
	if (SYS(436 /* close_range */, PROGRAM + 1, ~0u, 0, 0) < 0) {
		for (int fd = PROGRAM + 1; fd < 65536; fd++)
			SYS(SYS_close, fd, 0, 0, 0);
	}
	sys6(SYS_execveat, PROGRAM, (long)empty, (long)argv, (long)env, 0x1000 /* AT_EMPTY_PATH */, 8);
	SYS(SYS_exit_group, 126, 0, 0, 0);
	return 0;
}

/* Starts the watchman from a file with this library. Returns its PID or -errno; where the file may not be executed it ends at once. */
EXPORT int gmg_watchman(struct watchman *man)
{
	char *stack = mmap((void *)0, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	int pid, saved, wake[2];

	if (stack == MAP_FAILED)
		return -errno;
	man->tool = (int)syscall(434 /* pidfd_open */, getpid(), 0);
	if (man->tool < 0 || pipe2(wake, O_CLOEXEC)) {
		saved = errno;
		if (man->tool >= 0)
			close(man->tool);
		munmap(stack, STACK_BYTES);
		return -saved;
	}
	/* Nobody waits for a tool that does not read. */
	fcntl(wake[1], F_SETFL, O_NONBLOCK);
	man->wake = wake[1];
	man->woken = wake[0];
	/* With the memory shared until it executes: nothing is copied, and this thread waits. */
	pid = clone(become, stack + STACK_BYTES, CLONE_VM | CLONE_VFORK | SIGCHLD, man);
	saved = errno;
	munmap(stack, STACK_BYTES);
	close(man->tool);
	close(wake[1]);
	if (pid < 0)
		close(wake[0]);
	return pid < 0 ? -saved : pid;
}
