// SPDX-License-Identifier: Apache-2.0
/*
 * Reads a BPF ring buffer without callbacks: copies whole records into a buffer of the caller. The layout of the mapped pages is the kernel's
 * (kernel/bpf/ringbuf.c): one consumer page, one producer page, the data twice in a row; each record has an 8-byte header, length with
 * a busy and a discard bit.
 *
 * A mapping counts as memory of ours with all of its pages, and the data is mapped twice: 16 MiB. So only a window of it
 * is mapped, and moves on with the consumer.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

#define BUSY (1u << 31)
#define DISCARDED (1u << 30)
#define LENGTH_MASK (~(BUSY | DISCARDED))
#define RECORD_HEADER 8u
/* Half of the window, or the whole ring if that is smaller. The window moves by halves, so that a record is always in one piece: none is longer than a half. */
#define HALF (128u << 10)

struct ring {
	volatile uint64_t *consumer;
	volatile uint64_t *producer;
	/* The window, and where in the ring it begins; null before the first record. */
	const uint8_t *window;
	uint64_t window_at;
	uint64_t half;
	uint64_t size;
	size_t page;
	int fd;
};

EXPORT void gmg_ring_close(struct ring *ring)
{
	if (!ring)
		return;
	if (ring->consumer)
		munmap((void *)ring->consumer, ring->page);
	if (ring->producer)
		munmap((void *)ring->producer, ring->page);
	if (ring->window)
		munmap((void *)ring->window, 2 * ring->half);
	if (ring->fd >= 0)
		close(ring->fd);
	free(ring);
}

/* fd: the map's, which is duplicated; size: its max_entries. Null with errno set on failure. */
EXPORT struct ring *gmg_ring_open(int fd, uint32_t size)
{
	struct ring *ring = calloc(1, sizeof(*ring));
	void *map;

	if (!ring)
		return NULL;
	ring->page = (size_t)sysconf(_SC_PAGESIZE);
	ring->size = size;
	ring->half = size < HALF ? size : HALF;
	ring->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (ring->fd < 0)
		goto fail;
	map = mmap(NULL, ring->page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		goto fail;
	ring->consumer = map;
	map = mmap(NULL, ring->page, PROT_READ, MAP_SHARED, fd, (off_t)ring->page);
	if (map == MAP_FAILED)
		goto fail;
	ring->producer = map;
	return ring;
fail: {
	int saved = errno;
	gmg_ring_close(ring);
	errno = saved;
	return NULL;
}
}

/* Where the data is mapped that is at this place of the ring, with all of the record that begins there; null with errno set on failure. */
static const uint8_t *data_at(struct ring *ring, uint64_t at)
{
	uint64_t start = at & ~(ring->half - 1);

	if (!ring->window || start != ring->window_at) {
		void *map = mmap(NULL, 2 * ring->half, PROT_READ, MAP_SHARED, ring->fd, (off_t)(2 * ring->page + start));

		if (map == MAP_FAILED)
			return NULL;
		if (ring->window)
			munmap((void *)ring->window, 2 * ring->half);
		ring->window = map;
		ring->window_at = start;
	}
	return ring->window + (at - start);
}

/*
 * Copies complete records, one after the other, into `out` (room for `capacity` bytes) and returns how many bytes it filled, or a negative errno. Each record has eight
 * bytes in front, the first four of which are its length, and is padded to a multiple of eight. Stops at a record that is still being written.
 */
EXPORT int32_t gmg_ring_drain(struct ring *ring, uint8_t *out, uint32_t capacity)
{
	uint64_t at = *ring->consumer;
	uint64_t end = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
	uint32_t filled = 0;

	while (at < end) {
		const uint8_t *header = data_at(ring, at & (ring->size - 1));
		uint32_t word, length, space;

		if (!header)
			return -errno;
		word = __atomic_load_n((const uint32_t *)header, __ATOMIC_ACQUIRE);
		length = word & LENGTH_MASK;
		space = (RECORD_HEADER + length + 7u) & ~7u;

		if (word & BUSY)
			break;
		if (!(word & DISCARDED)) {
			if (space > capacity - filled)
				break;
			memcpy(out + filled, &length, sizeof(length));
			memset(out + filled + sizeof(length), 0, RECORD_HEADER - sizeof(length));
			memcpy(out + filled + RECORD_HEADER, header + RECORD_HEADER, length);
			filled += space;
		}
		at += space;
		__atomic_store_n(ring->consumer, at, __ATOMIC_RELEASE);
	}
	return (int32_t)filled;
}
