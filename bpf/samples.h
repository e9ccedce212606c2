/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Which calls of the work tier become records. */
#ifndef SAMPLES_H
#define SAMPLES_H

/* Chance with which this call was picked as a sample, of 2^32 (GMG_CERTAIN: every call is); 0: it was not. */
static __always_inline __u32 pick(void)
{
	__u32 zero = 0;
	struct gmg_settings *now = bpf_map_lookup_elem(&settings, &zero);
	__u32 chance = now ? now->sample_chance : 0;

	if (chance == 0 || chance == GMG_CERTAIN)
		return chance;
	return bpf_get_prandom_u32() < chance ? chance : 0;
}

static __always_inline void write_sample(struct gmg_event_head *head, struct stack_start *start, struct gmg_site_counts *counts)
{
	__u32 zero = 0;
	struct gmg_settings *now = bpf_map_lookup_elem(&settings, &zero);

	ADD(counts->picked);
	if (!now)
		return;
	if (!head->slow) {
		/* Whatever the chance: a reader that comes late must find room for growths. */
		if ((__s64)now->sample_room <= 0) {
			ADD(counts->throttled);
			return;
		}
		__sync_fetch_and_add(&now->sample_room, -1);
	}
	if (bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) > now->high_water) {
		/* One in ten of what matters more; the rest of the ring is for growths. */
		if (!(head->slow || head->iterating) || bpf_get_prandom_u32() % 10 != 0) {
			ADD(counts->throttled);
			return;
		}
	}
	if (write_event(head, start))
		ADD(counts->sample_lost);
}

#endif
