// SPDX-License-Identifier: Apache-2.0
/*
 * Registers and stack of running threads, without stopping them: a timer of the kernel interrupts each thread once it has used a little
 * processor time, and the kernel writes down where it was (perf_event_open(2), PERF_COUNT_SW_CPU_CLOCK with PERF_SAMPLE_REGS_USER and
 * PERF_SAMPLE_STACK_USER). Registers and stack are from one moment, since the thread is in the interrupt while they are taken.
 */
#define _GNU_SOURCE
#include <asm/perf_regs.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

#if defined(__x86_64__)
#define REG_PC PERF_REG_X86_IP
#define REG_SP PERF_REG_X86_SP
#else
#define REG_PC PERF_REG_ARM64_PC
#define REG_SP PERF_REG_ARM64_SP
#endif

#define MAX_THREADS 64
/* Processor time until the first interrupt. */
#define PERIOD_NS 50000
/* Data pages of a ring; a power of two, and enough for one record of 64 KiB. */
#define RING_BYTES (128 << 10)

struct watch {
	int fd;
	struct perf_event_mmap_page *page;
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int open_event(int tid, uint32_t stack_bytes, int user_only)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof attr,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = PERIOD_NS,
		.sample_type = PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER,
		.sample_regs_user = 1ull << REG_PC | 1ull << REG_SP,
		.sample_stack_user = stack_bytes,
		.wakeup_events = 1,
		.disabled = 1,
		.exclude_kernel = user_only,
		.exclude_hv = 1,
	};

	return (int)syscall(SYS_perf_event_open, &attr, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

/* 0 or -errno. */
static int start_watch(struct watch *w, int tid, uint32_t stack_bytes)
{
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	void *ring;

	w->fd = open_event(tid, stack_bytes, 0);
	/* perf_event_paranoid may allow user space only. */
	if (w->fd < 0 && (errno == EACCES || errno == EPERM))
		w->fd = open_event(tid, stack_bytes, 1);
	if (w->fd < 0)
		return -errno;
	ring = mmap(NULL, page_bytes + RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, w->fd, 0);
	if (ring == MAP_FAILED) {
		int error = -errno;

		close(w->fd);
		w->fd = -1;
		return error;
	}
	w->page = ring;
	ioctl(w->fd, PERF_EVENT_IOC_ENABLE, 0);
	return 0;
}

static void stop_watch(struct watch *w)
{
	if (w->fd < 0)
		return;
	munmap(w->page, (size_t)sysconf(_SC_PAGESIZE) + RING_BYTES);
	close(w->fd);
	w->fd = -1;
}

/* Copies from the ring, whose end continues at its beginning. */
static void take(const struct watch *w, uint64_t at, void *to, uint64_t length)
{
	const uint8_t *data = (const uint8_t *)w->page + sysconf(_SC_PAGESIZE);

	for (uint64_t i = 0; i < length; i++)
		((uint8_t *)to)[i] = data[(at + i) % RING_BYTES];
}

/*
 * The first sample of a ring: registers, stack. Returns 1, or 0 when there is none yet.
 * abi, regs (ascending), size of the copy area, the area, how much of it was filled
 */
static int take_sample(const struct watch *w, uint32_t stack_bytes, uint64_t *result, uint8_t *stack)
{
	uint64_t head = __atomic_load_n(&w->page->data_head, __ATOMIC_ACQUIRE);

	for (uint64_t at = 0; at + sizeof(struct perf_event_header) <= head && head <= RING_BYTES;) {
		struct perf_event_header header;
		uint64_t words[4], filled = 0, regs[2];

		take(w, at, &header, sizeof header);
		if (header.size < sizeof header || at + header.size > head)
			return 0;
		if (header.type == PERF_RECORD_SAMPLE && header.size >= sizeof header + sizeof words) {
			take(w, at + sizeof header, words, sizeof words);
			/* abi 0: a thread of the kernel, or one that has no user registers now */
			if (words[0] != 0 && words[3] <= stack_bytes && header.size >= sizeof header + sizeof words + words[3] + 8) {
				regs[0] = REG_PC < REG_SP ? words[1] : words[2];
				regs[1] = REG_PC < REG_SP ? words[2] : words[1];
				take(w, at + sizeof header + sizeof words + words[3], &filled, sizeof filled);
				if (filled > words[3])
					filled = words[3];
				take(w, at + sizeof header + sizeof words, stack, filled);
				result[0] = regs[0];
				result[1] = regs[1];
				result[2] = filled;
				return 1;
			}
		}
		at += header.size;
	}
	return 0;
}

/*
 * For each thread: results[i] = 1 and registers[3 * i] = pc, sp, bytes of stack (from sp on, at stacks + i * stack_bytes); 0 when the thread did not run
 * within the time; -errno when it cannot be watched. At most MAX_THREADS. stack_bytes: a multiple of 8, below 60 KiB.
 */
EXPORT void gmg_sample_threads(const int32_t *tids, uint32_t count, uint32_t wait_us, uint32_t stack_bytes,
			       int32_t *results, uint64_t *registers, uint8_t *stacks)
{
	struct watch watches[MAX_THREADS];
	struct pollfd polls[MAX_THREADS];
	int64_t end;
	uint32_t left = 0;

	if (count > MAX_THREADS)
		count = MAX_THREADS;
	for (uint32_t i = 0; i < count; i++) {
		watches[i].fd = -1;
		results[i] = start_watch(&watches[i], tids[i], stack_bytes);
		polls[i] = (struct pollfd){ .fd = watches[i].fd, .events = POLLIN };
		left += results[i] == 0;
	}
	end = now_ns() + (int64_t)wait_us * 1000;
	while (left > 0) {
		int64_t ns = end - now_ns();

		for (uint32_t i = 0; i < count; i++) {
			if (results[i] != 0 || !take_sample(&watches[i], stack_bytes, &registers[3 * i], stacks + (size_t)i * stack_bytes))
				continue;
			results[i] = 1;
			stop_watch(&watches[i]);
			polls[i].fd = -1;
			left--;
		}
		if (left == 0 || ns <= 0)
			break;
		if (poll(polls, count, (int)((ns + 999999) / 1000000)) < 0 && errno != EINTR)
			break;
		/* A thread that has ended. */
		for (uint32_t i = 0; i < count; i++) {
			if (results[i] == 0 && polls[i].revents & (POLLHUP | POLLERR)) {
				results[i] = -ESRCH;
				stop_watch(&watches[i]);
				polls[i].fd = -1;
				left--;
			}
		}
	}
	for (uint32_t i = 0; i < count; i++)
		stop_watch(&watches[i]);
}
