// SPDX-License-Identifier: Apache-2.0
/*
 * Reads a BPF ring buffer without callbacks: copies whole records into a buffer of the caller. The layout of the mapped pages is the kernel's
 * (kernel/bpf/ringbuf.c): one consumer page, one producer page, the data twice in a row; each record has an 8-byte header, length with
 * a busy and a discard bit.
 */
#include <errno.h>
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

struct ring {
	volatile uint64_t *consumer;
	volatile uint64_t *producer;
	const uint8_t *data;
	uint64_t size;
	size_t page;
};

EXPORT void gmg_ring_close(struct ring *ring)
{
	if (!ring)
		return;
	if (ring->consumer)
		munmap((void *)ring->consumer, ring->page);
	if (ring->producer)
		munmap((void *)ring->producer, ring->page + 2 * ring->size);
	free(ring);
}

/* size: max_entries of the map. Null with errno set on failure. */
EXPORT struct ring *gmg_ring_open(int fd, uint32_t size)
{
	struct ring *ring = calloc(1, sizeof(*ring));
	void *map;

	if (!ring)
		return NULL;
	ring->page = (size_t)sysconf(_SC_PAGESIZE);
	ring->size = size;
	map = mmap(NULL, ring->page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		goto fail;
	ring->consumer = map;
	map = mmap(NULL, ring->page + 2 * (size_t)size, PROT_READ, MAP_SHARED, fd, (off_t)ring->page);
	if (map == MAP_FAILED)
		goto fail;
	ring->producer = map;
	ring->data = (const uint8_t *)map + ring->page;
	return ring;
fail: {
	int saved = errno;
	gmg_ring_close(ring);
	errno = saved;
	return NULL;
}
}

/*
 * Copies complete records, one after the other, into `out` (room for `capacity` bytes) and returns how many bytes it filled. Each record has eight bytes in front,
 * the first four of which are its length, and is padded to a multiple of eight. Stops at a record that is still being written.
 */
EXPORT uint32_t gmg_ring_drain(struct ring *ring, uint8_t *out, uint32_t capacity)
{
	uint64_t at = *ring->consumer;
	uint64_t end = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
	uint32_t filled = 0;

	while (at < end) {
		const uint8_t *header = ring->data + (at & (ring->size - 1));
		uint32_t word = __atomic_load_n((const uint32_t *)header, __ATOMIC_ACQUIRE);
		uint32_t length = word & LENGTH_MASK;
		uint32_t space = (RECORD_HEADER + length + 7u) & ~7u;

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
	return filled;
}
