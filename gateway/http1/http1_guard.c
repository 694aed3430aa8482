#include "gateway/http1/http1_guard.h"

#include <string.h>

static const char words_line_end[] = "A line ends with CR and LF";
static const char words_request_line[] = "The request line is malformed";
static const char words_version[] = "The version is neither HTTP/1.0 nor HTTP/1.1";

void vg_http1_guard_init(struct vg_http1_guard *guard)
{
    *guard = (struct vg_http1_guard){ .stage = VG_HTTP1_GUARD_BEFORE };
}

void vg_http1_guard_begin_trailers(struct vg_http1_guard *guard)
{
    *guard = (struct vg_http1_guard){ .stage = VG_HTTP1_GUARD_LINE_START };
}

/* "HTTP/1.0" or "HTTP/1.1", CR, LF. */
static const char *take_version(struct vg_http1_guard *guard, uint8_t byte)
{
    static const char start[] = "HTTP/1.";
    const uint8_t at = guard->at++;
    if (at < sizeof(start) - 1) {
        return byte == (uint8_t)start[at] ? NULL : words_version;
    }
    if (at == sizeof(start) - 1) {
        return byte == '0' || byte == '1' ? NULL : words_version;
    }
    if (at == sizeof(start)) {
        return byte == '\r' ? NULL : byte == '\n' ? words_line_end : words_version;
    }
    guard->stage = VG_HTTP1_GUARD_LINE_START;
    guard->after_cr = false;
    return byte == '\n' ? NULL : words_line_end;
}

/* A byte of the method or the target; a blank ends either. */
static const char *take_word(struct vg_http1_guard *guard, uint8_t byte)
{
    if (byte == '\r' || byte == '\n') {
        return words_request_line; /* HTTP/0.9, or a line that stops short */
    }
    if (byte != ' ') {
        guard->has_target = true;
        return NULL;
    }
    if (!guard->has_target) {
        return words_request_line;
    }
    guard->has_target = false;
    guard->stage =
        guard->stage == VG_HTTP1_GUARD_METHOD ? VG_HTTP1_GUARD_TARGET : VG_HTTP1_GUARD_VERSION;
    return NULL;
}

/* The bytes of a method or a target up to what take_word has to look at. *part loses them. */
static void skip_word(struct vg_http1_guard *guard, struct vg_bytes *part)
{
    size_t size = 0;
    while (size < part->size && part->data[size] != ' ' && part->data[size] != '\r' &&
           part->data[size] != '\n') {
        size++;
    }
    guard->has_target = guard->has_target || size > 0;
    *part = vg_bytes(part->data + size, part->size - size);
}

static const char *take_before(struct vg_http1_guard *guard, uint8_t byte)
{
    if (guard->after_cr) {
        guard->after_cr = false;
        guard->blank_lines++;
        return byte == '\n' ? NULL : words_line_end;
    }
    if (byte == '\r') {
        guard->after_cr = true;
        return guard->blank_lines == VG_HTTP1_BLANK_LINES_MAX ? words_request_line : NULL;
    }
    if (byte == '\n') {
        return words_line_end;
    }
    guard->stage = VG_HTTP1_GUARD_METHOD;
    return take_word(guard, byte);
}

static const char *take_line_start(struct vg_http1_guard *guard, uint8_t byte)
{
    switch (byte) {
    case '\r':
        guard->stage = VG_HTTP1_GUARD_END;
        return NULL;
    case '\n':
        return words_line_end;
    case ' ':
    case '\t':
        return "A field must not be folded";
    case ':':
        return "A field has a name";
    default:
        guard->stage = VG_HTTP1_GUARD_LINE;
        return NULL;
    }
}

/* A field up to its CR LF. *part loses what was taken; some is, always. */
static const char *take_line(struct vg_http1_guard *guard, struct vg_bytes *part)
{
    if (guard->after_cr) {
        guard->after_cr = false;
        guard->stage = VG_HTTP1_GUARD_LINE_START;
        const char *words = part->data[0] == '\n' ? NULL : words_line_end;
        *part = vg_bytes(part->data + 1, part->size - 1);
        return words;
    }
    const uint8_t *cr = memchr(part->data, '\r', part->size);
    size_t before = cr == NULL ? part->size : (size_t)(cr - part->data);
    if (memchr(part->data, '\n', before) != NULL) {
        return words_line_end;
    }
    guard->after_cr = cr != NULL;
    size_t used = cr == NULL ? before : before + 1;
    *part = vg_bytes(part->data + used, part->size - used);
    return NULL;
}

static const char *take_byte(struct vg_http1_guard *guard, uint8_t byte)
{
    switch (guard->stage) {
    case VG_HTTP1_GUARD_BEFORE:
        return take_before(guard, byte);
    case VG_HTTP1_GUARD_METHOD:
    case VG_HTTP1_GUARD_TARGET:
        return take_word(guard, byte);
    case VG_HTTP1_GUARD_VERSION:
        return take_version(guard, byte);
    case VG_HTTP1_GUARD_LINE_START:
        return take_line_start(guard, byte);
    case VG_HTTP1_GUARD_END:
        guard->stage = VG_HTTP1_GUARD_DONE;
        return byte == '\n' ? NULL : words_line_end;
    case VG_HTTP1_GUARD_LINE:
    case VG_HTTP1_GUARD_DONE:
        break;
    }
    return NULL;
}

const char *vg_http1_guard_take(struct vg_http1_guard *guard, struct vg_bytes part)
{
    const char *words = NULL;
    const size_t before = part.size;
    while (words == NULL && part.size > 0 && guard->stage != VG_HTTP1_GUARD_DONE) {
        if (guard->stage == VG_HTTP1_GUARD_LINE) {
            words = take_line(guard, &part);
            continue;
        }
        if (guard->stage == VG_HTTP1_GUARD_METHOD || guard->stage == VG_HTTP1_GUARD_TARGET) {
            skip_word(guard, &part);
            if (part.size == 0) {
                break;
            }
        }
        words = take_byte(guard, part.data[0]);
        part = vg_bytes(part.data + 1, part.size - 1);
    }
    guard->bytes += before - part.size;
    return words;
}
