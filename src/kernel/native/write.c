// SPDX-License-Identifier: Apache-2.0
/*
 * Writes without blocking and without setting O_NONBLOCK, which would be shared with every process that has the same file open (the user's shell).
 * A pipe or terminal that poll() calls writable takes PIPE_BUF bytes without blocking (pipe(7)).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* Asks for a larger pipe, so that fewer rounds are needed in a storm. Nothing but a pipe has one; being refused is no loss. */
EXPORT void gmg_widen_pipe(int fd, int bytes)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
		fcntl(fd, F_SETPIPE_SZ, bytes);
}

/* Bytes written (0: it would block), or -errno; -EPIPE also when the reader of a pipe has gone and nothing is to be written (length 0). */
EXPORT int64_t gmg_write_some(int fd, const uint8_t *bytes, uint32_t length)
{
	uint32_t done = 0;
	struct stat st;
	int regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);

	do {
		struct pollfd p = { .fd = fd, .events = POLLOUT };
		uint32_t chunk = length - done;
		ssize_t n;

		if (!regular) {
			if (poll(&p, 1, 0) < 0) {
				if (errno == EINTR)
					return done;
				return -errno;
			}
			if (p.revents & POLLERR)
				return -EPIPE;
			if (!(p.revents & POLLOUT))
				return done;
			if (chunk > PIPE_BUF)
				chunk = PIPE_BUF;
		}
		if (chunk == 0)
			return done;
		n = write(fd, bytes + done, chunk);
		if (n < 0) {
			if (errno == EINTR || errno == EAGAIN)
				return done;
			return -errno;
		}
		done += (uint32_t)n;
	} while (done < length);
	return done;
}
