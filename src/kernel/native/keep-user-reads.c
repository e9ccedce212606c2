// SPDX-License-Identifier: Apache-2.0
/*
 * Under the kernel's lockdown mode "confidentiality" bpf_probe_read_kernel is forbidden. libbpf tries that one, takes bpf_probe_read_user for missing as well,
 * and puts the older bpf_probe_read in its place, which is forbidden, too, and on some kernels not there at all. Our programs read user memory only, and that
 * is allowed: we put it back right before they are loaded.
 */
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))

static int restore(struct bpf_program *program, struct bpf_prog_load_opts *options, long cookie)
{
	struct bpf_insn *code = (struct bpf_insn *)bpf_program__insns(program);
	size_t count = bpf_program__insn_cnt(program);

	(void)options;
	(void)cookie;
	for (size_t i = 0; i < count; i++) {
		if (code[i].code == (BPF_JMP | BPF_CALL) && code[i].src_reg == 0 && code[i].imm == BPF_FUNC_probe_read)
			code[i].imm = BPF_FUNC_probe_read_user;
	}
	return 0;
}

/* For programs in the section "uprobe" of objects that are opened from now on. Once is enough; 0 or -errno. */
EXPORT int gmg_keep_user_reads(void)
{
	static int handler;
	LIBBPF_OPTS(libbpf_prog_handler_opts, options, .prog_prepare_load_fn = restore);

	if (handler <= 0)
		handler = libbpf_register_prog_handler("uprobe", BPF_PROG_TYPE_KPROBE, 0, &options);
	return handler < 0 ? handler : 0;
}
