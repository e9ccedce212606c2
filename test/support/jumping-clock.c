/*
 * For LD_PRELOAD: the wall clock jumps by CLOCK_JUMP_SECONDS ten times a second, as if someone kept setting it. The monotonic clock goes on as it is.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long jumped(void)
{
	static long begun = -1;
	struct timespec now;
	long tenths;

	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
	tenths = now.tv_sec * 10 + now.tv_nsec / 100000000;
	if (begun < 0)
		begun = tenths;
	return (tenths - begun) * atol(getenv("CLOCK_JUMP_SECONDS"));
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
	int result = (int)syscall(SYS_clock_gettime, clock, time);

	if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		time->tv_sec += jumped();
	return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
	int result = (int)syscall(SYS_gettimeofday, time, zone);

	if (result == 0)
		time->tv_sec += jumped();
	return result;
}

time_t time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (out != NULL)
		*out = now.tv_sec;
	return now.tv_sec;
}
