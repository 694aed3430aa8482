#include "rpc/http2/http2_seen.h"

/* Clients open odd identifiers: the number of stream 1 is 0. */
static uint32_t seen_number(int32_t id)
{
    return (uint32_t)id >> 1;
}

static uint32_t seen_word(uint32_t number)
{
    return number % VG_HTTP2_SEEN_STREAMS / 64;
}

static uint64_t seen_bit(uint32_t number)
{
    return UINT64_C(1) << number % 64;
}

static bool seen_is_near(const struct vg_http2_seen *seen, int32_t id)
{
    return id <= seen->last && seen_number(seen->last) - seen_number(id) < VG_HTTP2_SEEN_STREAMS;
}

void vg_http2_seen_open(struct vg_http2_seen *seen, int32_t id)
{
    const uint32_t number = seen_number(id);
    uint32_t from = seen->last == 0 ? 0 : seen_number(seen->last) + 1;
    if (number - from >= VG_HTTP2_SEEN_STREAMS) {
        from = number - (VG_HTTP2_SEEN_STREAMS - 1);
    }
    for (uint32_t at = from; at <= number; at++) {
        seen->opened[seen_word(at)] &= ~seen_bit(at);
        seen->cut[seen_word(at)] &= ~seen_bit(at);
    }
    seen->opened[seen_word(number)] |= seen_bit(number);
    seen->last = id;
}

void vg_http2_seen_cut(struct vg_http2_seen *seen, int32_t id)
{
    if (seen_is_near(seen, id)) {
        seen->cut[seen_word(seen_number(id))] |= seen_bit(seen_number(id));
    }
}

enum vg_http2_seen_verdict vg_http2_seen_ask(const struct vg_http2_seen *seen, int32_t id)
{
    const uint32_t number = seen_number(id);
    if (!seen_is_near(seen, id)) {
        return VG_HTTP2_SEEN_FORGOTTEN;
    }
    if ((seen->cut[seen_word(number)] & seen_bit(number)) != 0) {
        return VG_HTTP2_SEEN_CUT;
    }
    return (seen->opened[seen_word(number)] & seen_bit(number)) != 0 ? VG_HTTP2_SEEN_OPENED
                                                                     : VG_HTTP2_SEEN_NEVER;
}
