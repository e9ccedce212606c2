// SPDX-License-Identifier: Apache-2.0
/*
 * The kernel's own count of how often an instruction is passed, without any BPF program: an event of the uprobe PMU (perf_event_open(2),
 * /sys/bus/event_source/devices/uprobe).
 *
 * Such an event of a uprobe is never inherited: for each thread that the target starts, the kernel would look for the path in the target's memory (perf_uprobe_init) and
 * the start of the thread would fail with EFAULT.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* `pmu`: type of the uprobe PMU; tid: -1 for all processes; cpu: -1 for all CPUs. Returns a descriptor or -errno. */
EXPORT int gmg_open_uprobe_counter(uint32_t pmu, const char *path, uint64_t offset, int tid, int cpu)
{
	struct perf_event_attr attr = {
		.type = pmu,
		.size = sizeof attr,
		.config1 = (uintptr_t)path,
		.config2 = offset,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, tid, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/*
 * How often a thread, and those that it starts from now on, are moved to another processor. This kind of event has no path and can be inherited. Returns a
 * descriptor or -errno.
 */
EXPORT int gmg_open_migration_counter(int tid)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof attr,
		.config = PERF_COUNT_SW_CPU_MIGRATIONS,
		.inherit = 1,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Adds up the counts of the events. Returns 0 or -errno. */
EXPORT int gmg_read_counters(const int32_t *fds, uint32_t count, uint64_t *sum)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint64_t value;
		ssize_t got = read(fds[i], &value, sizeof value);

		if (got != sizeof value)
			return got < 0 ? -errno : -EIO;
		total += value;
	}
	*sum = total;
	return 0;
}

/* What the kernel answers to an event that everybody with CAP_PERFMON may open: 0, or -errno. */
EXPORT int gmg_perf_refused(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof attr,
		.config = PERF_COUNT_SW_DUMMY,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}
