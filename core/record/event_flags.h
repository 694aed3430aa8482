/*
 * The set of flags of one event: 66 bits, flag number - 1 being the bit.
 *
 * Threads: values.
 */
#ifndef VG_CORE_RECORD_EVENT_FLAGS_H
#define VG_CORE_RECORD_EVENT_FLAGS_H

#include <stdbool.h>
#include <stdint.h>

enum vg_event_flag {
#define X(name, number, place, endpoint) VG_EVENT_FLAG_##name = (number),
#include "core/record/event_flags.def"
#undef X
    VG_EVENT_FLAG_LAST = 66,
};

struct vg_event_flags {
    uint64_t bits[2];
};

/* A base flag and the flag that says it holds for a part of the aggregate only. */
struct vg_event_flag_pair {
    uint8_t base;
    uint8_t partial;
};
#define VG_EVENT_FLAG_PAIR_COUNT 6
extern const struct vg_event_flag_pair vg_event_flag_pairs[VG_EVENT_FLAG_PAIR_COUNT];

/* What v2 shows among the flags of the event itself. */
extern const struct vg_event_flags vg_event_flags_shown;

/* Facts about one endpoint that v2 shows there. */
struct vg_event_endpoint_flag {
    uint8_t flag;          /* enum vg_event_flag */
    uint8_t endpoint_flag; /* number of vigil.events.v2.EndpointFlag */
    bool destination;
};
#define VG_EVENT_ENDPOINT_FLAG_COUNT 8
extern const struct vg_event_endpoint_flag vg_event_endpoint_flags[VG_EVENT_ENDPOINT_FLAG_COUNT];

static inline bool vg_event_flags_has(const struct vg_event_flags *flags, unsigned flag)
{
    return (flags->bits[(flag - 1) / 64] >> ((flag - 1) % 64) & 1) != 0;
}

static inline void vg_event_flags_set(struct vg_event_flags *flags, unsigned flag)
{
    flags->bits[(flag - 1) / 64] |= UINT64_C(1) << ((flag - 1) % 64);
}

static inline void vg_event_flags_clear(struct vg_event_flags *flags, unsigned flag)
{
    flags->bits[(flag - 1) / 64] &= ~(UINT64_C(1) << ((flag - 1) % 64));
}

static inline void vg_event_flags_add(
    struct vg_event_flags *flags,
    const struct vg_event_flags *more)
{
    flags->bits[0] |= more->bits[0];
    flags->bits[1] |= more->bits[1];
}

/* Numbers of the flags of `flags` that are in `mask` too, ascending; returns how many, at most 66.
 */
unsigned vg_event_flags_list(
    const struct vg_event_flags *flags,
    const struct vg_event_flags *mask,
    uint8_t out_numbers[VG_EVENT_FLAG_LAST]);

#endif
