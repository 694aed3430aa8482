#include "core/record/event_flags.h"

#define VG_BIT_LOW(number)  ((number) <= 64 ? UINT64_C(1) << (((number)-1) % 64) : 0)
#define VG_BIT_HIGH(number) ((number) > 64 ? UINT64_C(1) << (((number)-1) % 64) : 0)

const struct vg_event_flag_pair vg_event_flag_pairs[VG_EVENT_FLAG_PAIR_COUNT] = {
    { VG_EVENT_FLAG_SOURCE_IS_CUSTOMERNET, VG_EVENT_FLAG_SOURCE_IS_PARTIAL_CUSTOMERNET },
    { VG_EVENT_FLAG_DESTINATION_IS_CUSTOMERNET, VG_EVENT_FLAG_DESTINATION_IS_PARTIAL_CUSTOMERNET },
    { VG_EVENT_FLAG_BLOCKED, VG_EVENT_FLAG_PARTIALLY_BLOCKED },
    { VG_EVENT_FLAG_NOTIFIED, VG_EVENT_FLAG_PARTIALLY_NOTIFIED },
    { VG_EVENT_FLAG_ACKNOWLEDGED, VG_EVENT_FLAG_PARTIALLY_ACKNOWLEDGED },
    { VG_EVENT_FLAG_SSL_TERMINATED, VG_EVENT_FLAG_PARTIAL_SSL_TERMINATED },
};

/* 1 for the flags v2 shows on the event itself. */
#define VG_SHOWN_EVENT       1
#define VG_SHOWN_SOURCE      0
#define VG_SHOWN_DESTINATION 0
#define VG_SHOWN_HIDDEN      0

// NOLINTBEGIN(bugprone-macro-parentheses): each row is one operand of a chain, not an expression
const struct vg_event_flags vg_event_flags_shown = {
    .bits = {
#define X(name, number, place, endpoint) (VG_SHOWN_##place ? VG_BIT_LOW(number) : 0) |
#include "core/record/event_flags.def"
#undef X
            0,
#define X(name, number, place, endpoint) (VG_SHOWN_##place ? VG_BIT_HIGH(number) : 0) |
#include "core/record/event_flags.def"
#undef X
            0,
    },
};
// NOLINTEND(bugprone-macro-parentheses)

#define VG_ENDPOINT_EVENT(number, endpoint)
#define VG_ENDPOINT_HIDDEN(number, endpoint)
#define VG_ENDPOINT_SOURCE(number, endpoint)      { (number), (endpoint), false },
#define VG_ENDPOINT_DESTINATION(number, endpoint) { (number), (endpoint), true },

const struct vg_event_endpoint_flag vg_event_endpoint_flags[VG_EVENT_ENDPOINT_FLAG_COUNT] = {
#define X(name, number, place, endpoint) VG_ENDPOINT_##place(number, endpoint)
#include "core/record/event_flags.def"
#undef X
};

unsigned vg_event_flags_list(
    const struct vg_event_flags *flags,
    const struct vg_event_flags *mask,
    uint8_t out_numbers[VG_EVENT_FLAG_LAST])
{
    unsigned count = 0;
    for (unsigned word = 0; word < 2; word++) {
        uint64_t left = flags->bits[word] & mask->bits[word];
        while (left != 0) {
            out_numbers[count++] = (uint8_t)(word * 64 + (unsigned)__builtin_ctzll(left) + 1);
            left &= left - 1;
        }
    }
    return count;
}
