/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Follows what observed processes start. The tree of processes is kept by their numbers in the first PID namespace, which fork and exit know of each other; the tool has them by its own.
 *
 * A process that executes a file that is not known to be none of Go's is stopped there, before its first instruction, until its probes are attached: `held` says who is, so that somebody else can let
 * them go when the tool does not (src/kernel/native/watchman.c).
 */
#ifndef FOLLOW_H
#define FOLLOW_H

const volatile struct gmg_follow_offsets offsets SEC(".rodata.follow") = {};

#define SIGSTOP 19
#define SIGNAL_GROUP_EXIT 4 /* include/linux/sched/signal.h */

/* At an address in the kernel; 0 where it cannot be read. The size is that of the field. */
#define READ_KERNEL(type, address, offset)                                                             \
	({                                                                                             \
		type value_ = 0;                                                                       \
		bpf_probe_read_kernel(&value_, sizeof(value_), (void *)((__u64)(address) + (offset))); \
		value_;                                                                                \
	})

/* The current process by the tool's numbers; 0: it has none there. */
static __always_inline __u32 own_tgid(void)
{
	struct bpf_pidns_info id;

	if (!options.pid_namespace)
		return bpf_get_current_pid_tgid() >> 32;
	if (bpf_get_ns_current_pid_tgid(options.pid_namespace_device, options.pid_namespace, &id, sizeof(id)))
		return 0;
	return id.tgid;
}

static __always_inline void count_follow(__u32 what)
{
	__u64 *count = bpf_map_lookup_elem(&follow_counts, &what);

	if (count)
		ADD(*count);
}

static __always_inline struct gmg_followed *begin_followed(__u32 kind, __u32 tgid)
{
	struct gmg_followed *event = bpf_ringbuf_reserve(&follow_events, sizeof(*event), 0);

	if (!event) {
		count_follow(GMG_FOLLOW_LOST);
		return NULL;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->kind = kind;
	event->tgid = own_tgid();
	event->tree = tgid;
	event->time_ns = bpf_ktime_get_ns();
	return event;
}

/* arguments: parent, child; the parent is current. */
SEC("raw_tp/sched_process_fork")
int follow_fork(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 parent = bpf_get_current_pid_tgid() >> 32, child;
	struct member *member = member_of(parent);
	struct member copy;
	struct gmg_followed *event;

	if (!member)
		return 0;
	child = READ_KERNEL(__u32, ctx->args[1], offsets.task_tgid);
	/* A thread. */
	if (child == parent || child == 0)
		return 0;
	copy = *member;
	copy.flags = 0;
	if (bpf_map_update_elem(&tree, &child, &copy, BPF_ANY)) {
		count_follow(GMG_FOLLOW_UNTRACKED);
		return 0;
	}
	if (!copy.file)
		return 0;
	/* It goes on with the same program. */
	event = begin_followed(GMG_FOLLOWED_FORK, child);
	if (!event)
		return 0;
	event->parent = event->tgid;
	event->tgid = options.pid_namespace ? 0 : child;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

static __always_inline void read_file(struct gmg_file *file, __u64 binprm)
{
	__u64 opened = READ_KERNEL(__u64, binprm, offsets.binprm_file);
	__u64 inode = READ_KERNEL(__u64, opened, offsets.file_inode);
	__u64 superblock = READ_KERNEL(__u64, inode, offsets.inode_sb);

	file->ino = READ_KERNEL(__u64, inode, offsets.inode_ino);
	file->dev = READ_KERNEL(__u32, superblock, offsets.sb_dev);
	file->generation = READ_KERNEL(__u32, inode, offsets.inode_generation);
	file->size = READ_KERNEL(__u64, inode, offsets.inode_size);
	file->mtime = READ_KERNEL(__u64, inode, offsets.inode_mtime);
	file->mtime_ns = READ_KERNEL(__u32, inode, offsets.inode_mtime_ns);
}

/* arguments: the process, the number that its thread had before, struct linux_binprm. It is current, at the end of a successful execve. */
SEC("raw_tp/sched_process_exec")
int follow_exec(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32, zero = 0, *holds, *verdict;
	struct member *member = member_of(tgid);
	struct gmg_followed *event;
	struct gmg_file file = {};
	__u32 had_file;
	__u64 now;

	if (!member)
		return 0;
	count_follow(GMG_FOLLOW_EXECUTED);
	if (member->flags & MEMBER_EXPECTED) {
		member->flags = MEMBER_REPORTED;
		return 0;
	}
	had_file = member->file;
	member->file = 0;
	member->flags &= ~MEMBER_REPORTED;
	read_file(&file, ctx->args[2]);
	verdict = bpf_map_lookup_elem(&other_files, &file);
	if (verdict && !had_file)
		return 0;
	event = begin_followed(GMG_FOLLOWED_EXEC, tgid);
	if (!event)
		return 0;
	event->file = file;
	member->flags |= MEMBER_REPORTED;
	holds = bpf_map_lookup_elem(&holding, &zero);
	now = event->time_ns;
	if (holds && *holds && event->tgid && !verdict) {
		__u32 own = event->tgid;

		if (bpf_map_update_elem(&held, &own, &now, BPF_ANY) == 0) {
			if (bpf_send_signal(SIGSTOP) == 0)
				event->held = 1;
			else
				bpf_map_delete_elem(&held, &own);
		}
	}
	event->other = verdict != NULL;
	bpf_ringbuf_submit(event, BPF_RB_FORCE_WAKEUP);
	return 0;
}

/* arguments: the thread that ends, which is current. */
SEC("raw_tp/sched_process_exit")
int follow_exit(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 id = bpf_get_current_pid_tgid(), task = ctx->args[0], signal;
	__u32 tgid = id >> 32, own;
	struct member *member = bpf_map_lookup_elem(&tree, &tgid);
	struct gmg_followed *event;

	if (!member)
		return 0;
	signal = READ_KERNEL(__u64, task, offsets.task_signal);
	/* Threads that are left (signal_struct.live). */
	if (READ_KERNEL(__u32, signal, offsets.signal_live))
		return 0;
	own = own_tgid();
	if (member->file || member->flags & MEMBER_REPORTED) {
		event = begin_followed(GMG_FOLLOWED_EXIT, tgid);
		if (event) {
			if (READ_KERNEL(__u32, signal, offsets.signal_flags) & SIGNAL_GROUP_EXIT) {
				event->status = READ_KERNEL(__u32, signal, offsets.signal_group_exit_code);
				event->has_status = 1;
			} else if (tgid == (__u32)id) {
				event->status = READ_KERNEL(__u32, task, offsets.task_exit_code);
				event->has_status = 1;
			}
			bpf_ringbuf_submit(event, 0);
		}
	}
	bpf_map_delete_elem(&held, &own);
	bpf_map_delete_elem(&tree, &tgid);
	return 0;
}

#endif
