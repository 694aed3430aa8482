/*
 * A conversation's answers over REST, as they are said: a line of JSON for each, or server-sent
 * events (HTML, "Server-sent events"). What ends it is said as well, so that a stream that was cut
 * can be told from one that is over:
 *
 *     {"event":{…},"token":"…","live":null}          id: …
 *     {"event":null,"token":"…","live":true}         data: {"event":{…},…}
 *     {"end":true}
 *     {"error":{"responseCode":503,…}}               : nothing new
 *                                                    id: …
 *
 *                                                    event: end
 *                                                    data: {"error":{…}}
 *
 * A message without any message inside is a sign of life: of server-sent events a comment, which
 * moves on the id all the same.
 *
 * Threads: pure; the buffer's owner.
 */
#ifndef VG_GATEWAY_ENVELOPE_REPLY_STREAM_H
#define VG_GATEWAY_ENVELOPE_REPLY_STREAM_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/base/error.h"
#include "gateway/envelope/accept.h"
#include "rpc/service/reply.h"

/* The form answers of a conversation have for who asked for `chosen`: lines, unless it was events.
 */
enum vg_format vg_reply_stream_format(enum vg_format chosen);

/* What stands before the first answer. */
void vg_reply_stream_begin(enum vg_format format, struct vg_buffer *out);

/* Append one answer, of `table`, whose member `token` is the id. `arena` is emptied. False = no
 * memory; the buffer is then of no use. */
VG_MUST_USE bool vg_reply_stream_say(
    enum vg_format format,
    const struct vg_table *table,
    const struct vg_reply_row *row,
    struct vg_arena *arena,
    struct vg_buffer *out);

/* Append the end: well (NULL), or with `error`. */
void vg_reply_stream_end(
    enum vg_format format,
    const struct vg_error *error,
    struct vg_buffer *out);

#endif
