/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The maps of the BPF programs. Each is bounded; what happens when it is full is said beside it. */
#ifndef MAPS_H
#define MAPS_H

/* Full: user space attaches nothing more. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GMG_MAX_SITES);
	__type(key, __u32);
	__type(value, struct gmg_site);
} sites SEC(".maps");

struct address_key {
	__u64 ip;
	__u64 tgid;
};

/* Kernels without attach cookies (before 5.15) find the site by (process, address). */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GMG_MAX_SITES);
	__type(key, struct address_key);
	__type(value, __u32);
} site_addresses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, GMG_MAX_SITES);
	__type(key, __u32);
	__type(value, struct gmg_site_counts);
} site_counts SEC(".maps");

/* Full: calls without a row are counted by their site (row_lost). */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, GMG_CALL_ROWS);
	__type(key, struct gmg_row_key);
	__type(value, struct gmg_row);
} call_rows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GMG_MAX_WRAPPERS);
	__type(key, __u32);
	__type(value, struct gmg_wrappers);
} wrappers SEC(".maps");

/* Full: further types share the row with type 0, which the first type of a site makes; a site that has none by then has no durations. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GMG_LATENCY_ROWS);
	__type(key, struct gmg_latency_key);
	__type(value, struct gmg_latency_row);
} latency_rows SEC(".maps");

struct goroutine_key {
	__u64 g;
	__u64 tgid;
};

/* One call under way. */
struct call {
	__u64 begun_ns;    /* 0: none */
	__u64 map_type;
	__u64 caller;      /* of its row */
	__u64 sum_exec_runtime;
	__u64 exec_start;
	__u32 depth;       /* bytes from the stack pointer at the entry to the stack's upper end: stays when the stack moves */
	__u32 chance;      /* with which it became a record, or was picked as a sample; 0: it was not */
	__u32 tid;
	__u32 cpu;
	__u32 shape;       /* of its row */
	__u8 handed_over;  /* ends with the callee's exit */
	__u8 iterating;
	__u8 pad[2];
};

struct goroutine {
	struct call calls[GMG_SLOTS];
};

/* Full: the goroutine that has been idle longest goes; a call that it had begun is counted as evicted. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, GMG_GOROUTINES);
	__type(key, struct goroutine_key);
	__type(value, struct goroutine);
} goroutines SEC(".maps");

struct grown_key {
	__u64 seed;
	__u64 tgid;
};

/* Growths of each map, for iterations. Full: the map that has grown longest ago goes. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, GMG_GROWN_MAPS);
	__type(key, struct grown_key);
	__type(value, __u64);
} grown_maps SEC(".maps");

struct iterator_key {
	__u64 g;
	__u64 place;       /* distance from the stack's upper end, or the address of an iterator in the heap */
	__u64 tgid;
};

struct iterator {
	__u64 seed;
	__u64 begun_ns;
	__u64 seen;        /* growths of the map at the previous step */
};

/* Full: the iterator that has taken no step for longest goes; an overlap with it is not seen. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, GMG_ITERATORS);
	__type(key, struct iterator_key);
	__type(value, struct iterator);
} iterators SEC(".maps");

/* Full: calls without a row are counted by their site (row_lost). */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GMG_MAKE_ROWS);
	__type(key, struct gmg_make_key);
	__type(value, struct gmg_make_row);
} make_rows SEC(".maps");

struct header_key {
	__u64 address;
	__u64 tgid;
};

/* A map in the heap, where headers do not move, as it was made. */
struct origin {
	__u64 time_ns;
	__u64 caller;      /* as of its row, as the next two */
	__u64 map_type;
	__u64 seed;        /* 0: not known yet */
	__u32 site;
	__u32 hint;
	__u32 looked;      /* class of the entries when it was looked at, and 1; 0: it was not */
	__u32 grew;
};

/* Full: the map that was used longest ago goes; its growths have no origin. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, GMG_ORIGINS);
	__type(key, struct header_key);
	__type(value, struct origin);
} origins SEC(".maps");

struct line_key {
	__u64 caller;
	__u32 tgid;
	__u32 cpu;
};

/* The newest map of each call site on each CPU. Full: the one that was used longest ago goes, and the size of a map is not known. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, GMG_LAST_MADE);
	__type(key, struct line_key);
	__type(value, __u64);
} last_made SEC(".maps");

/* The newest map of each CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct header_key);
} newest_map SEC(".maps");

/* When garbage was last found, by process. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, GMG_COLLECTED);
	__type(key, __u64);
	__type(value, __u64);
} collections SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gmg_settings);
} settings SEC(".maps");

/* A process that is followed. */
struct member {
	__u32 base;        /* its first site, of those that it has for its file */
	__u32 file;        /* number of the file with the probes; 0: it has none */
	__u32 flags;       /* MEMBER_… */
};

#define MEMBER_EXPECTED 1 /* the probes are those of the file that it is about to execute */
#define MEMBER_REPORTED 2 /* its end is reported */

/* By number in the first PID namespace. Full: the children are counted as untracked. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GMG_TREE);
	__type(key, __u32);
	__type(value, struct member);
} tree SEC(".maps");

/* Processes that the tree begins with, by the tool's numbers, until they are heard of. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GMG_TREE);
	__type(key, __u32);
	__type(value, struct member);
} roots SEC(".maps");

/* Files that are known not to be Go's. Full: the one that was executed longest ago is looked at anew. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, GMG_OTHER_FILES);
	__type(key, struct gmg_file);
	__type(value, __u32);
} other_files SEC(".maps");

/* Stopped processes, by the tool's numbers, and since when. Full: no more are stopped. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GMG_HELD);
	__type(key, __u32);
	__type(value, __u64);
} held SEC(".maps");

/* Whether processes are stopped when they execute something. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} holding SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GMG_FOLLOW_COUNTS);
	__type(key, __u32);
	__type(value, __u64);
} follow_counts SEC(".maps");

/* Full: counted as lost. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, GMG_FOLLOW_RING_BYTES);
} follow_events SEC(".maps");

/* Full: growths are counted as lost. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, GMG_RING_BYTES);
} events SEC(".maps");

#endif
