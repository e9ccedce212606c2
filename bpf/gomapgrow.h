/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the BPF program and the TypeScript decoder (src/kernel/wire.ts) share: the layout of every struct that crosses the border. A unit test
 * compiles this header and compares sizes, offsets and constants with the decoder's.
 */
#ifndef GOMAPGROW_H
#define GOMAPGROW_H

#define GMG_MAX_SITES 1024      /* probed instructions over all targets */
#define GMG_MAX_FRAMES 64       /* return addresses kept per growth event */
#define GMG_HEADER_BYTES 48     /* runtime.hmap and internal/runtime/maps.Map: the fields we use, all versions */
#define GMG_TABLE_BYTES 16      /* internal/runtime/maps.table: used, capacity, growthLeft, localDepth, index */
#define GMG_WORK_ROWS 16384     /* rows of the (type, call site) table */
#define GMG_RING_BYTES (16u << 20)

/* What a hit at a site means. */
enum gmg_role {
	GMG_ROLE_NONE = 0,
	GMG_ROLE_HASH_GROW = 1,      /* runtime.hashGrow(t, h) */
	GMG_ROLE_GROW_TO_TABLE = 2,  /* maps.(*Map).growToTable(m, typ) */
	GMG_ROLE_REHASH = 3,         /* maps.(*table).rehash(t, typ, m) */
	GMG_ROLE_GROW_WORK = 4,      /* runtime.growWork*(t, h, bucket) */
	GMG_ROLE_EVACUATE = 5,       /* runtime.evacuate*(t, h, oldbucket) */
	GMG_ROLE_GROW = 6,           /* maps.(*table).grow(t, typ, m, newCapacity) */
	GMG_ROLE_SPLIT = 7,          /* maps.(*table).split(t, typ, m) */
	GMG_ROLE_PRUNE = 8,          /* maps.(*table).pruneTombstones(t, typ, m) */
};

/* What the program has to know about a site; written once before attaching, indexed by the attach cookie. */
struct gmg_site {
	__u32 role;
	__u32 goid_offset;   /* offset of runtime.g.goid */
	__u8 args_on_stack;  /* Go <= 1.16: arguments at [rsp+8], [rsp+16], … */
	__u8 g_in_rcx;       /* Go <= 1.16: the stack check leaves g in RCX; otherwise R14 */
	__u8 caller_depth;   /* frames from the probed function to the first one outside the map code */
	__u8 pad[5];
};

/*
 * Per site and CPU; only ever added to. `hits` is last and added to first: a reader that copies upwards never sees more
 * lost than hit.
 */
struct gmg_site_counts {
	__u64 lost;        /* growth: no room in the ring; work: no room in the row table */
	__u64 fault;       /* something could not be read: counted as a hit, with details missing */
	__u64 diverted;    /* passes sent to morestack: not calls, they come again */
	__u64 hits;        /* passes through the stack check that entered the function */
};

/* Row of the work tier. */
struct gmg_work_key {
	__u32 site;
	__u32 tgid;
	__u64 map_type;
	__u64 caller;      /* return address into the first function outside the map code */
};

/* A growth; one record of the ring buffer. */
struct gmg_growth {
	__u64 time_ns;     /* bpf_ktime_get_ns: CLOCK_MONOTONIC */
	__u64 goid;        /* 0: could not be read */
	__u64 ip;          /* run-time address of the probed instruction */
	__u64 map_type;    /* run-time address of the map type */
	__u64 map;         /* run-time address of the map header */
	__u32 tgid;
	__u32 tid;
	__u32 site;
	__u16 frame_count; /* of frames[] */
	__u8 truncated;    /* the stack goes on beyond frames[] */
	__u8 fault;        /* bit 0: header unreadable, bit 1: table unreadable, bit 2: g unreadable */
	__u8 header[GMG_HEADER_BYTES];
	__u8 table[GMG_TABLE_BYTES];
	__u64 frames[GMG_MAX_FRAMES]; /* return addresses, innermost first */
};

#define GMG_FAULT_HEADER 1
#define GMG_FAULT_TABLE 2
#define GMG_FAULT_G 4

#endif
