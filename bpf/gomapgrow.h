/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the BPF programs and the TypeScript side (src/kernel/wire.ts) share: the layout of every struct that crosses the border. A unit test
 * compiles this header and compares sizes, offsets and constants with the decoder's.
 */
#ifndef GOMAPGROW_H
#define GOMAPGROW_H

#define GMG_MAX_SITES 1024      /* probed instructions over all targets; user space may ask for more when it loads the object */
#define GMG_MAX_FRAMES 127      /* return addresses kept of a stack */
#define GMG_C_FRAMES 8          /* followed in C code, which may use the frame pointer for something else */
#define GMG_SHORT_FRAMES 24     /* most stacks fit into a short record */
#define GMG_HEADER_BYTES 48     /* runtime.hmap and internal/runtime/maps.Map: the fields we use, all versions */
#define GMG_TABLE_BYTES 16      /* internal/runtime/maps.table: used, capacity, growthLeft, localDepth, index */
#define GMG_LOWEST_CODE 4096    /* what is below is no return address: the page at 0 is never mapped */
#define GMG_CALL_ROWS 32768     /* rows of the (function, type, call site, shape) table; user space asks for fewer where there are many CPUs */
#define GMG_LATENCY_ROWS 1024   /* rows of the (function, type) table */
#define GMG_MAX_WRAPPERS 256    /* executables whose wrappers are known; of further ones the wrappers are the call sites */
#define GMG_WRAPPER_RANGES 16   /* of code that wraps the map code, for each executable */
#define GMG_GOROUTINES 16384    /* goroutines at once inside a function whose duration is measured; least recently used ones go first */
#define GMG_GROWN_MAPS 65536    /* maps whose growths are counted for iterations */
#define GMG_ITERATORS 65536
#define GMG_MAKE_ROWS 32768     /* rows of the table of makes */
#define GMG_ORIGINS 65536       /* maps whose making is remembered */
#define GMG_LAST_MADE 16384     /* call sites and CPUs of which the newest map is remembered */
#define GMG_COLLECTED 4096      /* processes of which the last garbage collection is remembered */
#define GMG_RING_BYTES (8u << 20)

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
	GMG_ROLE_ITER_START = 9,     /* runtime.mapiterinit(t, h, it) */
	GMG_ROLE_ITER_INIT = 10,     /* maps.(*Iter).Init(it, typ, m) */
	GMG_ROLE_ITER_NEXT = 11,     /* runtime.mapiternext(it), maps.(*Iter).Next(it) */
	GMG_ROLE_COUNT = 12,         /* only counted */
	GMG_ROLE_MAKE_SMALL = 13,    /* runtime.makemap_small() */
	GMG_ROLE_MAKE = 14,          /* runtime.makemap(t, hint, h), maps.NewMap(mt, hint, m, maxAlloc) */
	GMG_ROLE_COLLECT = 15,       /* runtime.gcMarkTermination: what is garbage is freed from now on */
};

/* A function's place among the start times of a goroutine. */
#define GMG_SLOTS 9
#define GMG_NO_SLOT 255

/* Code of no condition: every pass leaves the function. */
#define GMG_ALWAYS 255

/* What the programs have to know about a site; written once before attaching, indexed by the attach cookie. */
struct gmg_site {
	__u32 role;
	__u32 entry;         /* exits: the site of the function's entry, which has its counters */
	__u32 outer_entry;   /* exits: that of the function of outer_slot */
	__u32 chance;        /* growths: with which a growth becomes a record, of 2^32; may change at any time */
	__u16 goid;          /* offsets of fields of runtime.g; 0: not known, not read */
	__u16 parent_goid;
	__u16 gopc;
	__u16 startpc;
	__u16 curg;          /* of runtime.m */
	__u16 cgo_gap;       /* from the outermost frame record of a callback from C to that of the call of C below it; 0: not known */
	__s32 fs_offset;     /* exits, Go <= 1.16 on x86-64: of the place of g from the thread's FS base; 0: g is in its register */
	__u8 args_on_stack;  /* Go <= 1.16: arguments at [sp+8], [sp+16], … */
	__u8 g_in_rcx;       /* Go <= 1.16 on x86-64: the stack check leaves g in RCX; otherwise R14 */
	__u8 caller_depth;   /* frames from the probed function to the first one outside the map code */
	__u8 slot;           /* of the function; GMG_NO_SLOT: its duration is not measured */
	__u8 outer_slot;     /* exits: of the function that may hand its end over to this one; or GMG_NO_SLOT */
	__u8 condition;      /* exits: x86-64 condition code of the branch, or GMG_ALWAYS */
	__u8 leaves_taken;   /* exits: which outcome of the branch leaves the function */
	__u8 hands_over;     /* exits: the pass that does not leave (or, without a condition, every pass) ends with the callee's exit */
	__u8 frame_pointer;  /* exits: the entry's stack pointer is frame pointer + 8; otherwise the stack pointer itself. Makes: the frame pointer is the function's own */
	__u8 seed;           /* offset of the hash seed in the map header: 12 (32 bits) or 8 (64 bits) */
	__u8 reads_flags;    /* work: the map is classic, its flags tell about iterators */
	__u8 always_enters;  /* the site is not the branch of a stack check: every pass is a call */
	__u8 own_stack_only; /* frame pointers that lead out of the goroutine's stack are stale: nothing is read there */
	__u8 load_factor;    /* growths of classic maps: twice the entries of a bucket above which a map doubles */
	__u16 map_at;        /* inlined copies, makes: from the stack pointer to the word with the map's address; 0: it is an argument, of makes: not known; GMG_NO_MAP: not known */
	/*
	 * These may change at any time. since_ns: what began before this moment may have ended unseen (iterations, calls that are timed, maps). Hits count from
	 * open_ns to before close_ns, in one of two windows; others are none.
	 */
	__u64 since_ns;
	__u64 open_ns[2];
	__u64 close_ns[2];
	__u64 address;       /* of the instruction, before the load bias */
	__u32 wrappers;      /* number of the executable's wrapper ranges; GMG_NO_WRAPPERS: it has none */
	__u16 hint_at;       /* makes: from the stack pointer to the hint, and to the map type; 0: an argument */
	__u16 type_at;
};

#define GMG_NO_WRAPPERS 0xffffffffu
#define GMG_NO_MAP 0xffff

/* Code that calls the map code for somebody else (reflect, package maps): its callers are the call sites. Addresses before the load bias. */
struct gmg_wrappers {
	struct {
		__u64 from, to;
	} ranges[GMG_WRAPPER_RANGES]; /* unused ones are empty */
};

/*
 * Per site and CPU; only ever added to. `hits` is last and added to first: a reader that copies upwards never sees more
 * lost than hit.
 */
struct gmg_site_counts {
	__u64 lost;        /* growth: no room in the ring; work: no room in the row table */
	__u64 fault;       /* something could not be read: counted as a hit, with details missing */
	__u64 diverted;    /* passes sent to morestack: not calls, they come again */
	__u64 paired;      /* of the calls that are timed: their end was seen */
	__u64 left;        /* of those: no return seen when the goroutine's next call began */
	__u64 picked;      /* samples that should become records */
	__u64 throttled;   /* of those: not written because the ring was too full; growths: not picked */
	__u64 sample_lost; /* of those: no room in the ring */
	__u64 row_lost;    /* calls without a row: the table was full */
	__u64 outside;     /* passes while the site was closed: they cost, and count for nothing */
	__u64 begun;       /* calls that are timed */
	__u64 withdrawn;   /* of those: under way when the exits were detached */
	__u64 hits;        /* passes through the stack check that entered the function; exits: all passes */
};

/* What growths and growth work are counted by. */
struct gmg_row_key {
	__u32 site;
	__u32 tgid;
	__u64 map_type;
	__u64 caller;      /* return address into the first function outside the map code and its wrappers */
	__u64 shape;       /* GMG_SHAPE_… */
};

/* Per CPU; only ever added to. */
struct gmg_row {
	__u64 calls;
	__u64 entries;     /* growths: sum of the entries that they copy */
	__u64 timed;       /* calls whose end was seen */
	__u64 elapsed_ns;  /* sum of their durations */
	__u64 on_cpu;      /* of those: calls whose processor time is known */
	__u64 cpu_ns;      /* sum of that */
};

/* Of all calls: counted in the second window of the site. */
#define GMG_SHAPE_WINDOW 0x10000

/* Shape of a growth: log2 of the buckets (classic) or slots of the table (swiss) before it, and flags. */
#define GMG_SHAPE_SIZE 0xff
#define GMG_SHAPE_SAME_SIZE 0x100  /* classic: too many overflow buckets; swiss: deleted slots used up the room */
#define GMG_SHAPE_ITERATING 0x200  /* classic: an iterator may be active */
#define GMG_SHAPE_UNREADABLE 0x400 /* the map could not be read, or what was read is no map */

/* What makes are counted by, and what becomes of the maps. */
struct gmg_make_key {
	__u32 site;        /* of the function that made the map; growths without a make: of the function that grows it */
	__u32 tgid;
	__u64 map_type;    /* run-time address; 0: the make does not tell it */
	__u64 caller;      /* return address into the first function outside the map code and its wrappers; 0: not known */
	__u64 via;         /* makes: the outermost wrapper's, or 0; growths: the call site of the growth */
	__u32 what;        /* GMG_MAKE_… */
	__u32 number;      /* class of hints or of entries, log2 of slots */
};

struct gmg_make_row {
	__u64 maps;
	__u64 sum;         /* of the hints or the entries */
};

#define GMG_MADE 1          /* number: class of the hint */
#define GMG_MADE_ON_STACK 2 /* likewise */
#define GMG_SIZE 3          /* entries when the next map of the line was made on this CPU; number: their class */
#define GMG_OUTGREW 4       /* it grew after that; number: the class that it was counted in */
#define GMG_GREW 5          /* first growth of a map */
#define GMG_GROWTH 6        /* number: log2 of the slots of what grows */
#define GMG_UNLINKED 7      /* growth of a map whose making was not seen */
#define GMG_MAKE_WINDOW 0x100 /* makes: counted in the second window of the site */

/*
 * Classes of numbers: 0; then exactly up to 32; then 16 equal parts of each power of two of the number below. No limit of a map (8, 13 * 2^k, 12 * 2^k,
 * 7 * 2^k) is inside of one.
 */
#define GMG_CLASS_PARTS_LOG2 4

/*
 * Durations: below 64 ns, then 16 equal parts of each power of two up to 2^32 ns, and beyond. A part is at most 1/16 of the durations in it wide.
 */
#define GMG_FIRST_BUCKET_LOG2 6
#define GMG_LAST_BUCKET_LOG2 32
#define GMG_PARTS_LOG2 4
#define GMG_BUCKETS (2 + ((GMG_LAST_BUCKET_LOG2 - GMG_FIRST_BUCKET_LOG2) << GMG_PARTS_LOG2))

struct gmg_latency_key {
	__u32 site;        /* the function's entry */
	__u32 tgid;
	__u64 map_type;
};

struct gmg_latency_row {
	__u64 sum_ns;
	__u64 max_ns;
	__u64 buckets[GMG_BUCKETS];
};

/* Fixed when the object is loaded. */
struct gmg_options {
	__u32 machine;          /* GMG_MACHINE_… */
	__u32 site_by_address;  /* the kernel has no attach cookies */
	__u32 iterations;       /* growths are numbered for the iterations of their maps */
	__u32 fs_base;          /* of a thread's FS base in struct task_struct; 0: not known, and no site has an fs_offset */
	__u32 pid_namespace;    /* gomapgrow's own PID namespace; 0: the first one */
	__u32 sum_exec_runtime; /* in struct task_struct: processor time of the thread up to exec_start; 0: not known, and no processor time is measured */
	__u32 exec_start;
	__u32 makes;            /* growths are linked to the making of their maps */
	__u64 pid_namespace_device;
	__u32 follows;          /* children of processes are followed, and probes are those of files: see struct gmg_followed */
	__u32 pad;
};

/* Where the kernel keeps what follow.h reads (BTF); fixed when the object is loaded. 0: the field is not there. */
struct gmg_follow_offsets {
	__u32 task_tgid;
	__u32 task_exit_code;
	__u32 task_signal;
	__u32 signal_live;
	__u32 signal_flags;
	__u32 signal_group_exit_code;
	__u32 binprm_file;
	__u32 file_inode;
	__u32 inode_sb;
	__u32 sb_dev;
	__u32 inode_ino;
	__u32 inode_generation;
	__u32 inode_size;
	__u32 inode_mtime;
	__u32 inode_mtime_ns;
	__u32 pad;
};

#define GMG_MACHINE_X86_64 0
#define GMG_MACHINE_ARM64 1

#define GMG_CERTAIN 0xffffffffu

/* Written by user space at any time. */
struct gmg_settings {
	__u64 slow_ns;         /* calls that take as long or longer are recorded whatever the sampling */
	__u64 sample_room;     /* samples that may still be written until the ring has been read, not counting slow ones; signed */
	__u32 sample_chance;   /* a call becomes a sample with this chance, of 2^32; 0: none, GMG_CERTAIN: every one */
	__u32 high_water;      /* bytes in the ring above which samples are not written any more */
};

/* Records of the ring buffer; each begins with its kind. */
enum gmg_record {
	GMG_RECORD_GROWTH = 1, /* struct gmg_event */
	GMG_RECORD_LEFT = 2,   /* struct gmg_left: a growth has been left */
	GMG_RECORD_WORK = 3,   /* struct gmg_event */
	GMG_RECORD_STEP = 4,   /* struct gmg_event: an iterator takes a step after a growth of its map */
};

struct gmg_event_head {
	__u32 kind;
	__u32 site;        /* the function's entry */
	__u64 time_ns;     /* bpf_ktime_get_ns: CLOCK_MONOTONIC; growths: of entering */
	__u64 g;           /* run-time address of runtime.g */
	__u64 goid;        /* 0: could not be read */
	__u64 ip;          /* run-time address of the probed instruction */
	__u64 map_type;    /* run-time address of the map type */
	__u32 tgid;
	__u32 tid;
	__u16 frame_count; /* of frames[] */
	__u8 truncated;    /* the stack goes on beyond frames[] */
	__u8 fault;        /* GMG_FAULT_… */
	__u8 slow;         /* work: recorded because it took long */
	__u8 iterating;    /* work: oldIterator */
	__u8 on_stack;     /* growths: the map's header lies on the goroutine's stack */
	__u8 pad;
	union {
		struct {
			__u64 parent_goid; /* 0: not known */
			__u64 gopc;
			__u64 startpc;
			__u64 map;         /* run-time address of the map's header; 0: not known */
			__u32 sequence;    /* which growth of this map, for iterations; 0 when iterations are not watched */
			__u32 chance;      /* with which it was picked, of 2^32 */
			__u8 header[GMG_HEADER_BYTES];
			__u8 table[GMG_TABLE_BYTES];
			__u64 made_ns;     /* when the map was made; 0: that was not seen */
			__u64 made_by;     /* call site: as gmg_make_key.caller */
			__u64 made_hint;
		} growth;
		struct {
			__u64 duration_ns; /* 0: not measured */
			__u64 chance;      /* with which it was picked, of 2^32; it stands for 2^32/chance calls */
		} work;
		struct {
			__u64 seed;
			__u64 begun_ns;    /* when the iteration began */
			__u64 seen;        /* sequence of the map's growths at the iterator's previous step */
			__u64 sequence;    /* and now */
		} step;
	} u;
};

struct gmg_event {
	struct gmg_event_head head;
	__u64 frames[GMG_MAX_FRAMES]; /* return addresses, innermost first; a short record has GMG_SHORT_FRAMES */
};

struct gmg_left {
	__u32 kind;
	__u32 tgid;
	__u64 g;
	__u64 begun_ns;    /* time_ns of the growth */
	__u64 duration_ns;
	__u32 site;
	__u32 pad;
};

/* A file that is executed, as it was then. */
struct gmg_file {
	__u64 ino;
	__u64 size;
	__u64 mtime;
	__u32 mtime_ns;
	__u32 dev;
	__u32 generation;
	__u32 pad;
};

enum gmg_followed_kind {
	GMG_FOLLOWED_FORK = 1, /* a process with probes has a child, which executes the same program until it says otherwise */
	GMG_FOLLOWED_EXEC = 2, /* a process of the tree executes a file that may be Go's, or one with probes executes another */
	GMG_FOLLOWED_EXIT = 3, /* one that was reported has ended */
};

/* Records of the second ring buffer. */
struct gmg_followed {
	__u32 kind;
	__u32 tgid;        /* by the tool's numbers; 0: not known */
	__u32 tree;        /* by those of the first PID namespace: key of the tree */
	__u32 parent;      /* fork: by the tool's numbers */
	__u64 time_ns;
	__u32 status;      /* exit: as of wait(2) */
	__u8 has_status;
	__u8 held;         /* exec: it waits for SIGCONT */
	__u8 other;        /* exec: the file is known not to be Go's */
	__u8 pad;
	struct gmg_file file; /* exec */
};

/* Counted on the way (follow_counts). */
enum gmg_follow_count {
	GMG_FOLLOW_EXECUTED = 0,  /* programs that were executed in the tree */
	GMG_FOLLOW_LOST = 1,      /* records without room */
	GMG_FOLLOW_UNTRACKED = 2, /* processes without room in the tree */
	GMG_FOLLOW_COUNTS = 3,
};

#define GMG_FOLLOW_RING_BYTES (256u << 10)
#define GMG_TREE 16384       /* processes of the tree at once */
#define GMG_OTHER_FILES 4096 /* files that are known not to be Go's */
#define GMG_HELD 1024

#define GMG_FAULT_HEADER 1
#define GMG_FAULT_TABLE 2
#define GMG_FAULT_G 4

#endif
